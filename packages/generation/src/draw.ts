import { type Random, readTensor } from '@headwise/core';
import { sparseCrossEntropy } from '@headwise/kernels';
import { bestScores, biasRow, sampleRows } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { type Adjustments, adjustmentsAfter, forcedAfter } from './adjustments.js';
import type { Plan } from './plan.js';

/** A sequence whose next token is drawn. */
export interface NextDraw {
  readonly plan: Plan;
  readonly random: Random;
  /** Prompt and new tokens. */
  readonly ids: readonly number[];
  /** The number of new tokens among them. */
  readonly made: number;
}

/** A row to draw from, with what its scores are adjusted by. */
interface AdjustedRow extends NextDraw, Adjustments {
  readonly row: number;
  readonly seed: number;
}

/**
 * Draws the next token of each sequence from its scores, those with the same options in one dispatch; each as it would be alone.
 *
 * @param scores `[N, V]`
 * @param draws one of each row; undefined for a row that is left out
 * @param failed is told why a row cannot be drawn; it may throw
 * @returns ids `[N]`; below 0 for a row that was left out, or cannot be drawn
 */
export function drawRows(
  scores: tf.Tensor2D,
  draws: readonly (NextDraw | undefined)[],
  failed: (row: number, error: unknown) => void,
): tf.Tensor1D {
  const forced = new Map<number, number>();
  const groups = new Map<string, AdjustedRow[]>();
  for (const [row, draw] of draws.entries()) {
    if (!draw) continue;
    try {
      const { plan, random, ids, made } = draw;
      const given = forcedAfter(plan, ids, made);
      if (given) {
        forced.set(row, drawForced(given, plan, random));
        continue;
      }
      const { allowed, ...adjustments } = adjustmentsAfter(plan, ids, made);
      // Masks are overwritten by the next call.
      const adjusted = { ...adjustments, ...(allowed ? { allowed: allowed.slice() } : {}) };
      const { bias, raise } = adjusted;
      const key = JSON.stringify([plan.sampling, raise, bias.size > 0, allowed !== undefined]);
      groups.set(key, [
        ...(groups.get(key) ?? []),
        { ...draw, ...adjusted, row, seed: random.nextUint32() },
      ]);
    } catch (error) {
      failed(row, error);
    }
  }
  return tf.tidy(() => {
    const parts = [...groups.values()].flatMap((group) => drawnGroup(scores, group, failed));
    const [first] = parts;
    if (parts.length === 1 && first!.rows.length === draws.length) return first!.ids;
    const drawn = new Set(parts.flatMap(({ rows }) => rows));
    const others = [...draws.keys()].filter((row) => !drawn.has(row));
    const known = others.map((row) => forced.get(row) ?? -1);
    const order = [...parts.flatMap(({ rows }) => rows), ...others];
    const joined = tf.concat([
      ...parts.map(({ ids }) => ids),
      ...(known.length > 0 ? [tf.tensor1d(known, 'int32')] : []),
    ]);
    const places = draws.map((_, row) => order.indexOf(row));
    return tf.gather(joined, tf.tensor1d(places, 'int32'));
  });
}

/** Drawn ids and the rows that they are of, in order. */
interface Drawn {
  readonly rows: readonly number[];
  readonly ids: tf.Tensor1D;
}

/** Draws rows of the same options; where other backends than WebGPU refuse the scores of a row, that one alone fails. */
function drawnGroup(
  scores: tf.Tensor2D,
  group: readonly AdjustedRow[],
  failed: (row: number, error: unknown) => void,
): Drawn[] {
  const rows = group.map(({ row }) => row);
  try {
    return [{ rows, ids: sampled(rowsOf(scores, rows), group) }];
  } catch (error) {
    if (group.length > 1) return group.flatMap((one) => drawnGroup(scores, [one], failed));
    failed(rows[0]!, error);
    return [];
  }
}

/** Some rows of scores, in rising order. */
export const rowsOf = (scores: tf.Tensor2D, rows: readonly number[]): tf.Tensor2D =>
  rows.length === scores.shape[0] ? scores : tf.gather(scores, tf.tensor1d([...rows], 'int32'));

/** @param scores of the group's rows */
function sampled(scores: tf.Tensor2D, group: readonly AdjustedRow[]): tf.Tensor1D {
  const vocabulary = scores.shape[1];
  const [{ plan, raise }] = group as [AdjustedRow, ...AdjustedRow[]];
  const lists = (of: (row: AdjustedRow) => readonly number[]) => padded(group.map(of));
  const biased = group.some(({ bias }) => bias.size > 0);
  const words = group.flatMap(({ allowed }) => (allowed ? [allowed] : []));
  const raised = raise === 0 ? [] : group.map(({ plan }) => plan.stopIds);
  return sampleRows(
    scores,
    plan.sampling,
    group.map(({ seed }) => seed),
    {
      history: lists(({ ids }) => ids),
      source: lists(({ plan }) => plan.source),
      banned: lists(({ banned }) => [...banned]),
      bias: biased ? tf.concat(group.map(({ bias }) => biasRow(bias, vocabulary))) : undefined,
      allowed:
        words.length > 0
          ? (tf.stack<tf.Tensor>(words.map((mask) => tf.tensor1d(mask, 'int32'))) as tf.Tensor2D)
          : undefined,
      raised: padded(raised),
      raise,
    },
  );
}

/** Drawn ids, read at once. @param drawn `[1]` each, not disposed */
export async function readIds(drawn: readonly tf.Tensor1D[]): Promise<number[]> {
  const joined = tf.concat([...drawn]);
  try {
    return Array.from(await readTensor(joined));
  } finally {
    joined.dispose();
  }
}

/** One of several ids, all as likely; of those that are not suppressed. */
export function drawForced(ids: readonly number[], plan: Plan, random: Random): number {
  const allowed = [...new Set(ids)].filter((id) => !plan.suppressIds.includes(id));
  if (allowed.length === 1) return allowed[0]!;
  if (plan.sampling.temperature === 0) return Math.min(...allowed);
  return allowed[random.nextUint32() % allowed.length]!;
}

/** A token, and its probability in the model's own distribution. */
export interface TokenProbability {
  readonly id: number;
  /** Natural logarithm of the probability before penalties, temperature and cut-offs. */
  readonly logProbability: number;
}

/** A token of a sequence, with the likeliest tokens at its place. */
export interface GeneratedToken extends TokenProbability {
  /** The likeliest tokens, best first: as many as were asked for. */
  readonly alternatives: readonly TokenProbability[];
}

/**
 * The log-probabilities of drawn tokens, without an output of size `V`.
 *
 * @param scores `[N, V]` @param ids `[N]`; what is given for an id below 0 has no meaning
 * @returns `[N]`
 */
export const logProbabilitiesOf = (scores: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor1D =>
  tf.tidy(() => sparseCrossEntropy(scores, ids.maximum<tf.Tensor1D>(tf.scalar(0, 'int32'))).neg());

/** The likeliest tokens of each row. @param scores `[N, V]` @param count at most as many, default 0 */
export async function likeliestOf(
  scores: tf.Tensor2D,
  count: number,
): Promise<(readonly TokenProbability[])[]> {
  const [rows, vocabulary] = scores.shape;
  if (count === 0) return Array.from({ length: rows }, () => []);
  const best = await bestScores(scores, Math.min(count, vocabulary));
  return best.map(({ ids, logProbabilities }) =>
    ids.map((id, i) => ({ id, logProbability: logProbabilities[i]! })),
  );
}

/**
 * The probabilities of drawn tokens, and of the likeliest ones.
 *
 * @param scores `[N, V]` @param ids one of each row @param most the number of alternatives
 */
export async function probabilitiesOf(
  scores: tf.Tensor2D,
  ids: readonly number[],
  most: number,
): Promise<GeneratedToken[]> {
  const log = tf.tidy(() => logProbabilitiesOf(scores, tf.tensor1d([...ids], 'int32')));
  try {
    const [logs, likeliest] = await Promise.all([readTensor(log), likeliestOf(scores, most)]);
    return ids.map((id, row) => generatedToken(id, logs[row]!, likeliest[row]!));
  } finally {
    log.dispose();
  }
}

/** A token with its alternatives, among which it has one probability: two ways of adding up differ in the last digits. */
export const generatedToken = (
  id: number,
  logProbability: number,
  likeliest: readonly TokenProbability[],
): GeneratedToken => ({
  id,
  logProbability,
  alternatives: likeliest.map((other) => (other.id === id ? { id, logProbability } : other)),
});

/** Lists of ids as rows with −1 behind them, up to a multiple of 256: buffers of few sizes, which are used again. None for empty lists. */
function padded(lists: readonly (readonly number[])[]): tf.Tensor2D | undefined {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  if (longest === 0) return undefined;
  const size = Math.ceil(longest / 256) * 256;
  const values = new Int32Array(lists.length * size).fill(-1);
  for (const [row, ids] of lists.entries()) values.set(ids, row * size);
  return tf.tensor2d(values, [lists.length, size], 'int32');
}
