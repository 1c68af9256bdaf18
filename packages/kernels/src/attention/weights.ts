import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkScoring } from './check-scoring.js';
import { checkTables } from './check-tables.js';
import { evaluate, placesOf } from './expression/evaluate.js';
import { checkMask, type Mask, none } from './masks/mask.js';
import { modified, type ScoreMod } from './mods.js';

export interface AttentionWeightsOptions {
  /** The queries whose weights are wanted, from 0. */
  rows: readonly number[];
  /** Default all. */
  heads?: readonly number[] | undefined;
  /** What `attention` was given; the defaults are its. */
  mask?: Mask | undefined;
  mods?: readonly ScoreMod[] | undefined;
  scale?: number | undefined;
}

/**
 * The weights of a few queries after attention ran, from its log-sum-exp: `e^(s − lse)`.
 *
 * Nothing but the rows that are asked for is computed. Dropout is left out.
 *
 * @param q `[B, H, Tq, Dk]`
 * @param k `[B, Hkv, Tk, Dk]`
 * @param logSumExp `[B, H, Tq, 2]`, of `attentionWithLogSumExp`
 * @returns `[B, heads, rows, Tk]`
 * @throws ShapeError where shapes do not fit, InputError for a row or a head that does not exist
 * @example
 * const { output, logSumExp } = attentionWithLogSumExp(q, k, v, { mask: causal });
 * const lastRow = attentionWeights(q, k, logSumExp, { rows: [q.shape[2]! - 1], mask: causal });
 */
export function attentionWeights(
  q: tf.Tensor,
  k: tf.Tensor,
  logSumExp: tf.Tensor,
  options: AttentionWeightsOptions,
): tf.Tensor {
  checkShape('attentionWeights: q', q.shape, ['B', 'H', 'Tq', 'Dk']);
  const [batch, allHeads, queries, width] = q.shape as [number, number, number, number];
  checkShape('attentionWeights: k', k.shape, [batch, 'Hkv', 'Tk', width]);
  checkShape('attentionWeights: logSumExp', logSumExp.shape, [batch, allHeads, queries, 2]);
  const [, kvHeads, keys] = k.shape as [number, number, number];
  const { rows, mask = none, mods = [], scale = 1 / Math.sqrt(width) } = options;
  const heads = options.heads ?? Array.from({ length: allHeads }, (_, head) => head);
  checkNumbers('rows', rows, queries);
  checkNumbers('heads', heads, allHeads);
  checkScoring('attentionWeights', options);
  checkMask(mask, { B: batch, H: allHeads, Tq: queries, Tk: keys });
  checkTables('attentionWeights', { mask, mods }, { batch, heads: allHeads });
  return tf.tidy(() => {
    const asked = (x: tf.Tensor) =>
      x.gather(tf.tensor1d([...heads], 'int32'), 1).gather(tf.tensor1d([...rows], 'int32'), 2);
    const group = allHeads / kvHeads;
    const ofKeys = heads.map((head) => Math.floor(head / group));
    const shared = k.gather(tf.tensor1d(ofKeys, 'int32'), 1); // [B, heads, Tk, Dk]
    const product = tf.matMul(asked(q).mul(scale), shared, false, true); // [B, heads, rows, Tk]
    const places = {
      ...placesOf({ batch, heads: allHeads, queries, keys }),
      h: tf.tensor([...heads], [1, heads.length, 1, 1], 'int32'),
      q: tf.tensor(
        rows.map((row) => row + keys - queries),
        [1, 1, rows.length, 1],
        'int32',
      ),
      score: product,
    };
    const changed = modified(mods, mask);
    const score = changed ? evaluate(changed.node, places) : product;
    const [largest, logSum] = asked(logSumExp).split(2, -1) as [tf.Tensor, tf.Tensor];
    const weights = score.sub(largest).sub(logSum).exp();
    if (!mask.condition) return weights;
    return tf.where(evaluate(mask.condition.node, places), weights, tf.zerosLike(weights));
  });
}

function checkNumbers(what: string, numbers: readonly number[], count: number): void {
  const wrong = numbers.find((n) => !(Number.isInteger(n) && n >= 0 && n < count));
  if (wrong === undefined && numbers.length > 0) return;
  throw new InputError(
    `attentionWeights: ${what} ${wrong === undefined ? 'are empty' : `hold ${wrong}`}; expected numbers from 0 to ${count - 1}`,
  );
}
