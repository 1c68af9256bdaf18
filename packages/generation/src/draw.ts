import { type Random, readTensor } from '@headwise/core';
import { sampleTokens } from '@headwise/kernels';
import { biasRow } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { adjustmentsAfter } from './adjustments.js';
import type { Plan } from './plan.js';

/**
 * Draws the next token of a sequence from the model's scores.
 *
 * @param scores `[1, V]`
 * @param sequence prompt and new tokens
 * @param made the number of new tokens in it
 * @returns its id, `[1]`
 */
export function drawFrom(
  scores: tf.Tensor2D,
  plan: Plan,
  random: Random,
  sequence: readonly number[],
  made: number,
): tf.Tensor1D {
  const { bias, banned, allowed, raise } = adjustmentsAfter(plan, sequence, made);
  return tf.tidy(() =>
    sampleTokens(scores, plan.sampling, random.nextUint32(), {
      history: padded(sequence),
      source: padded(plan.source),
      banned: banned.size > 0 ? padded([...banned]) : undefined,
      bias: bias.size > 0 ? biasRow(bias, scores.shape[1]) : undefined,
      allowed: allowed && tf.tensor2d(allowed, [1, allowed.length], 'int32'),
      raised: raise !== 0 && plan.stopIds.length > 0 ? padded(plan.stopIds) : undefined,
      raise,
    }),
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
 * The probabilities of drawn tokens, and of the likeliest ones.
 *
 * @param scores `[N, V]` @param ids one of each row @param most the number of alternatives
 */
export async function probabilitiesOf(
  scores: tf.Tensor2D,
  ids: readonly number[],
  most: number,
): Promise<GeneratedToken[]> {
  const [rows, vocabulary] = scores.shape;
  const count = Math.min(most, vocabulary);
  const [drawn, best, places] = tf.tidy(() => {
    const log = tf.logSoftmax(scores);
    const flat = ids.map((id, row) => row * vocabulary + id);
    const drawn = tf.gather(log.reshape([rows * vocabulary]), tf.tensor1d(flat, 'int32'));
    if (count === 0) return [drawn, undefined, undefined];
    const { values, indices } = tf.topk(log, count);
    return [drawn, values, indices];
  });
  try {
    const logs = await readTensor(drawn!);
    const values = best ? await readTensor(best) : [];
    const indices = places ? await readTensor(places) : [];
    return ids.map((id, row) => ({
      id,
      logProbability: logs[row]!,
      alternatives: Array.from({ length: count }, (_, i) => ({
        id: indices[row * count + i]!,
        logProbability: values[row * count + i]!,
      })),
    }));
  } finally {
    tf.dispose([drawn, best, places].filter((tensor) => tensor !== undefined));
  }
}

/** Ids with −1 after them, up to a multiple of 256: buffers of few sizes, which are used again. */
function padded(ids: readonly number[]): tf.Tensor2D {
  const size = Math.ceil(ids.length / 256) * 256;
  const values = new Int32Array(size).fill(-1);
  values.set(ids);
  return tf.tensor2d(values, [1, size], 'int32');
}
