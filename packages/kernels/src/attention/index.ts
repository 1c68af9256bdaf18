import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkNotEmpty, checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkScoring } from './check-scoring.js';
import { checkTables } from './check-tables.js';
import { checkDropout, type WeightDropout } from './dropout.js';
import { attentionGradient } from './gradient.js';
import { Heads, operandsOf } from './heads.js';
import { checkMask, type Mask, none } from './masks/mask.js';
import type { ScoreMod } from './mods.js';
import { attentionReference, logSumExpReference } from './reference.js';
import { type ScoreOptions, scoreOf } from './score/score.js';
import { sourcesOf } from './score/tables.js';
import { attentionSinkGradientKernel } from './table-gradient/sinks.js';
import { attentionTableGradientKernel } from './table-gradient/webgpu.js';
import { type AttentionAttributes, attentionGradientKernel, attentionKernel } from './webgpu.js';

export interface AttentionOptions {
  /** Default `none`. */
  mask?: Mask | undefined;
  /** What is done to the scaled products before the softmax, in this order. */
  mods?: readonly ScoreMod[] | undefined;
  /** Default `1 / √Dk`. */
  scale?: number | undefined;
  /** `[H]`: a learned score for each head that takes part in the softmax and has no value. */
  sinks?: tf.Tensor | undefined;
  /** Of the weights; the same places are dropped in the backward. */
  dropout?: WeightDropout | undefined;
}

/**
 * Scaled dot-product attention, fused on WebGPU: `softmax(mods(Q Kᵀ · scale) + M) V`.
 *
 * Nothing of size `Tq · Tk` is stored, forward or backward. A query that sees no key gives zeros.
 * With fewer heads of keys than of queries, `H / Hkv` neighbouring query heads share one.
 *
 * @param q `[B, H, Tq, Dk]`
 * @param k `[B, Hkv, Tk, Dk]`, where Hkv divides H
 * @param v `[B, Hkv, Tk, Dv]`
 * @returns `[B, H, Tq, Dv]`
 * @throws ShapeError where batch, heads, lengths or widths do not fit; InputError for a type that is not
 * float32, what is not a mask or a score mod, or a mask made for other sizes
 * @see Dao 2023, https://arxiv.org/abs/2307.08691; Ainslie et al. 2023, https://arxiv.org/abs/2305.13245;
 * Dong et al. 2024, https://arxiv.org/abs/2412.05496
 */
export function attention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: AttentionOptions = {},
): tf.Tensor {
  const heads = [Heads.of(q), Heads.of(k), Heads.of(v)] as const;
  checkInputs(heads, options);
  if (q.size === 0 || k.size === 0 || v.size === 0) return withoutKeys(q, k, v);
  if (!hasKernel('headwise/Attention')) return attentionReference(q, k, v, complete(q, options));
  return tf.tidy(() => fused(heads, options, 'heads-first')[0]!);
}

/**
 * `attention` of heads where they lie.
 *
 * @param q `[B, H, Tq, Dk]`, k `[B, Hkv, Tk, Dk]`, v `[B, Hkv, Tk, Dv]`
 * @returns `[B, H, Tq, Dv]`, in the order of q's axes: tokens first is how a map behind attention reads it
 */
export function attentionOfHeads(
  q: Heads,
  k: Heads,
  v: Heads,
  options: AttentionOptions = {},
): Heads {
  const heads = [q, k, v] as const;
  checkInputs(heads, options);
  if (!hasKernel('headwise/Attention') || heads.some(({ size }) => size === 0)) {
    return Heads.of(
      tf.tidy(() => attention(q.headsFirst(), k.headsFirst(), v.headsFirst(), options)),
    );
  }
  const { order } = q.place;
  const y = tf.tidy(() => fused(heads, options, order)[0]!);
  return order === 'heads-first' ? Heads.of(y) : Heads.ofTokens(y);
}

/** The output of attention, with the log-sum-exp of each query's scores. */
export interface AttentionAndLogSumExp {
  /** `[B, H, Tq, Dv]` */
  output: tf.Tensor;
  /**
   * `[B, H, Tq, 2]`: the largest score and `log Σ e^(s − largest)`, whose sum is the log-sum-exp; in two parts, as
   * large scores would leave no digits for the second. It has no gradient.
   */
  logSumExp: tf.Tensor;
}

/** `attention`, and the log-sum-exp of each query's scores: outputs over parts of the keys can be merged by it. */
export function attentionWithLogSumExp(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: AttentionOptions = {},
): AttentionAndLogSumExp {
  const heads = [Heads.of(q), Heads.of(k), Heads.of(v)] as const;
  checkInputs(heads, options);
  for (const [name, x] of Object.entries({ q, k, v })) {
    checkNotEmpty(`attentionWithLogSumExp: ${name}`, x);
  }
  return tf.tidy(() => {
    if (hasKernel('headwise/Attention')) {
      const [output, logSumExp] = fused(heads, options, 'heads-first') as [tf.Tensor, tf.Tensor];
      return { output, logSumExp };
    }
    let logSumExp: tf.Tensor | undefined;
    const onScores = (scores: tf.Tensor) => {
      logSumExp = tf.keep(logSumExpReference(scores, options.sinks));
      return scores;
    };
    const output = attentionReference(q, k, v, { ...complete(q, options), onScores });
    // The reference's own tidy ends before this one.
    const result = logSumExp!.clone();
    logSumExp!.dispose();
    return { output, logSumExp: result };
  });
}

type Three = readonly [q: Heads, k: Heads, v: Heads];

const complete = (
  q: { shape: readonly number[] },
  { mask = none, mods = [], scale, ...rest }: AttentionOptions,
): ScoreOptions => ({
  ...rest,
  mask,
  mods,
  scale: scale ?? 1 / Math.sqrt(Math.max(1, q.shape[3]!)),
});

/** @returns the output and the parts of the log-sum-exp */
function fused(
  heads: Three,
  options: AttentionOptions,
  output: AttentionAttributes['output'],
): tf.Tensor[] {
  const score = scoreOf(complete(heads[0], options));
  const { tensors, operands } = operandsOf(heads);
  const attributes: AttentionAttributes = { score, operands, output };
  return runKernel('headwise/Attention', [...tensors, ...sourcesOf(score.graph)], attributes);
}

/** Zeros that depend on the inputs, so that each has a gradient of zeros. */
function withoutKeys(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor {
  return tf.customGrad((q, k, v) => ({
    value: tf.zeros([...(q as tf.Tensor).shape.slice(0, 3), (v as tf.Tensor).shape[3]!]),
    gradFunc: () => [q, k, v].map((x) => tf.zeros((x as tf.Tensor).shape)),
  }))(q, k, v);
}

function checkInputs([q, k, v]: Three, { mask, mods, sinks, dropout }: AttentionOptions): void {
  checkScoring('attention', { mask, mods });
  checkShape('attention: q', q.shape, ['B', 'H', 'Tq', 'Dk']);
  const [batch, heads, queries, width] = q.shape as [number, number, number, number];
  checkShape('attention: k', k.shape, [batch, 'Hkv', 'Tk', width]);
  const [, kvHeads, keys] = k.shape;
  checkShape('attention: v', v.shape, [batch, kvHeads, keys, 'Dv']);
  if (heads !== kvHeads && !(kvHeads > 0 && heads % kvHeads === 0)) {
    throw new InputError(
      `attention: q has ${heads} heads and k has ${kvHeads}; expected a multiple of k's`,
    );
  }
  for (const [name, { tensor }] of Object.entries({ q, k, v })) {
    checkType(`attention: ${name}`, tensor, 'float32');
  }
  if (mask) checkMask(mask, { B: batch, H: heads, Tq: queries, Tk: keys });
  checkTables('attention', { mask, mods }, { batch, heads });
  if (sinks) {
    checkShape('attention: sinks', sinks.shape, [heads]);
    checkType('attention: sinks', sinks, 'float32');
  }
  if (dropout) checkDropout(dropout);
}

/** Makes `attention` use its WebGPU kernels. */
export function registerAttention(): void {
  registerWebGPUKernel('headwise/Attention', attentionKernel);
  registerWebGPUKernel('headwise/AttentionGradient', attentionGradientKernel);
  registerWebGPUKernel('headwise/AttentionTableGradient', attentionTableGradientKernel);
  registerWebGPUKernel('headwise/AttentionSinkGradient', attentionSinkGradientKernel);
  if (!tf.getGradient('headwise/Attention')) tf.registerGradient(attentionGradient);
}
