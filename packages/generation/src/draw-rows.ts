import { readTensor } from '@headwise/core';
import { checkDrawn } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import {
  drawRows,
  type GeneratedToken,
  generatedToken,
  likeliestOf,
  logProbabilitiesOf,
  rowsOf,
  type TokenProbability,
} from './draw.js';
import { runInOrder } from './processors/own.js';
import type { Growing } from './running-sequence.js';

/**
 * Draws the next token of each sequence, each with its own options and seed, and gives it to the sequence; one that cannot be
 * drawn ends with the error.
 *
 * @param rows scores of the model, `[N, V]`
 * @returns the token of each; undefined for an error
 */
export async function drawAll(
  rows: tf.Tensor2D,
  sequences: readonly Growing[],
): Promise<(GeneratedToken | undefined)[]> {
  const [, vocabulary] = rows.shape;
  const { ids, logProbabilities } = await drawn(rows, sequences);
  const likeliest = await likeliestRows(rows, ids, sequences);
  const values = sequences.some((one) => one.keepsScores) ? await readTensor(rows) : undefined;
  return sequences.map((sequence, row) => {
    const { keepsScores, reason } = sequence;
    if (reason === 'error') return undefined;
    try {
      const id = ids[row]!;
      checkDrawn('sampleTokens', [id], vocabulary);
      const token = generatedToken(id, logProbabilities[row]!, likeliest[row]!);
      const scores = values?.subarray(row * vocabulary, (row + 1) * vocabulary);
      sequence.take(token, keepsScores ? scores : undefined);
      return token;
    } catch (error) {
      sequence.fail(error);
      return undefined;
    }
  });
}

/** The drawn ids, below 0 where none could be drawn, and their log-probabilities; read at once. */
async function drawn(
  rows: tf.Tensor2D,
  sequences: readonly Growing[],
): Promise<{ ids: ArrayLike<number>; logProbabilities: ArrayLike<number> }> {
  const processed = await processedRows(rows, sequences);
  const [ids, logs] = tf.tidy(() => {
    const draws = sequences.map((sequence) =>
      sequence.reason === 'error' ? undefined : { ...sequence.drawing },
    );
    const ids = drawRows(processed, draws, (row, error) => sequences[row]!.fail(error));
    return [ids, logProbabilitiesOf(rows, ids)];
  });
  try {
    const [read, logProbabilities] = await Promise.all([readTensor(ids!), readTensor(logs!)]);
    return { ids: read, logProbabilities };
  } finally {
    tf.dispose([processed, ids!, logs!]);
  }
}

/** The scores after each sequence's own processors, `[N, V]`, the caller's; a sequence whose processor throws ends with the error. */
async function processedRows(
  rows: tf.Tensor2D,
  sequences: readonly Growing[],
): Promise<tf.Tensor2D> {
  if (sequences.every(({ plan }) => plan.processors.length === 0)) return rows.clone();
  const parts: tf.Tensor2D[] = [];
  for (const [n, sequence] of sequences.entries()) {
    const row = tf.tidy(() => rows.slice<tf.Tensor2D>([n, 0], [1, rows.shape[1]]));
    try {
      parts.push(await runInOrder(sequence.plan.processors, row, sequence.ids));
      row.dispose();
    } catch (error) {
      sequence.fail(error);
      parts.push(row);
    }
  }
  const joined = tf.concat(parts);
  tf.dispose(parts);
  return joined;
}

/** The likeliest tokens of each row, as many as its sequence asks for; none for a row that could not be drawn. */
async function likeliestRows(
  rows: tf.Tensor2D,
  ids: ArrayLike<number>,
  sequences: readonly Growing[],
): Promise<(readonly TokenProbability[])[]> {
  const most = Math.max(...sequences.map(({ alternatives }) => alternatives));
  const shown = most === 0 ? [] : [...sequences.keys()].filter((row) => ids[row]! >= 0);
  const given = sequences.map((): readonly TokenProbability[] => []);
  if (shown.length === 0) return given;
  const scores = tf.tidy(() => rowsOf(rows, shown).clone());
  try {
    for (const [n, all] of (await likeliestOf(scores, most)).entries()) {
      const row = shown[n]!;
      given[row] = all.slice(0, sequences[row]!.alternatives);
    }
    return given;
  } finally {
    scores.dispose();
  }
}
