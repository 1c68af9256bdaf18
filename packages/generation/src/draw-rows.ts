import { readTensor } from '@headwise/core';
import { checkDrawn } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { drawForced, drawFrom, type GeneratedToken, probabilitiesOf, readIds } from './draw.js';
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
  const ids = await idsOf(rows, sequences);
  const safe = ids.map((id) => Math.max(0, id));
  const most = Math.max(...sequences.map(({ alternatives }) => alternatives));
  const tokens = await probabilitiesOf(rows, safe, most);
  const values = sequences.some((one) => one.keepsScores) ? await readTensor(rows) : undefined;
  return sequences.map((sequence, row) => {
    const { alternatives, keepsScores, reason } = sequence;
    if (reason === 'error') return undefined;
    try {
      checkDrawn('sampleTokens', [ids[row]!], vocabulary);
      const token = tokens[row]!;
      const own = { ...token, alternatives: token.alternatives.slice(0, alternatives) };
      const scores = values?.subarray(row * vocabulary, (row + 1) * vocabulary);
      sequence.take(own, keepsScores ? scores : undefined);
      return own;
    } catch (error) {
      sequence.fail(error);
      return undefined;
    }
  });
}

/** The drawn ids, read at once; below 0 where none could be drawn. */
async function idsOf(rows: tf.Tensor2D, sequences: readonly Growing[]): Promise<number[]> {
  const drawn: tf.Tensor1D[] = [];
  try {
    for (const [n, sequence] of sequences.entries()) drawn.push(await drawOne(rows, n, sequence));
    return await readIds(drawn);
  } finally {
    tf.dispose(drawn);
  }
}

/** The id of one sequence, `[1]`; where it fails, −1, and the sequence has ended. */
async function drawOne(rows: tf.Tensor2D, n: number, sequence: Growing): Promise<tf.Tensor1D> {
  const { plan, random, ids, tokens } = sequence;
  const row = tf.tidy(() => rows.slice([n, 0], [1, rows.shape[1]]));
  let own: tf.Tensor2D | undefined;
  try {
    const { forced } = sequence;
    if (forced) return tf.tensor1d([drawForced(forced, plan, random)], 'int32');
    own = await runInOrder(plan.processors, row, ids);
    return drawFrom(own, plan, random, ids, tokens.length);
  } catch (error) {
    sequence.fail(error);
    return tf.tensor1d([-1], 'int32');
  } finally {
    tf.dispose([row, ...(own ? [own] : [])]);
  }
}
