import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkDropout, type WeightDropout } from './dropout.js';
import { attentionGradient } from './gradient.js';
import { checkMask, type Mask, none } from './masks/mask.js';
import { causal } from './masks/order.js';
import type { ScoreMod } from './mods.js';
import { attentionReference } from './reference.js';
import { attentionGradientKernel, attentionKernel, widestHead } from './webgpu.js';

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
 * float32, or a mask made for other sizes
 * @see Dao 2023, https://arxiv.org/abs/2307.08691; Ainslie et al. 2023, https://arxiv.org/abs/2305.13245;
 * Dong et al. 2024, https://arxiv.org/abs/2412.05496
 */
export function attention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: AttentionOptions = {},
): tf.Tensor {
  checkInputs(q, k, v, options);
  const { mask = none, mods = [], sinks, dropout } = options;
  const width = q.shape[3]!;
  const scale = options.scale ?? 1 / Math.sqrt(Math.max(1, width));
  if (q.size === 0 || k.size === 0 || v.size === 0) return withoutKeys(q, k, v);
  const plain = mods.length === 0 && !sinks && !dropout && (mask === none || mask === causal);
  const fits = width <= widestHead && v.shape[3] === width;
  if (!hasKernel('headwise/Attention') || !plain || !fits) {
    return attentionReference(q, k, v, { mask, mods, scale, sinks, dropout });
  }
  return tf.tidy(
    () =>
      runKernel(
        'headwise/Attention',
        { q, k, v },
        { mask: mask === causal ? 'causal' : 'none', scale },
      )[0]!,
  );
}

/** Zeros that depend on the inputs, so that each has a gradient of zeros. */
function withoutKeys(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor {
  return tf.customGrad((q, k, v) => ({
    value: tf.zeros([...(q as tf.Tensor).shape.slice(0, 3), (v as tf.Tensor).shape[3]!]),
    gradFunc: () => [q, k, v].map((x) => tf.zeros((x as tf.Tensor).shape)),
  }))(q, k, v);
}

function checkInputs(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  { mask, sinks, dropout }: AttentionOptions,
): void {
  checkShape('attention: q', q.shape, ['B', 'H', 'Tq', 'Dk']);
  const [batch, heads, queries, width] = q.shape as [number, number, number, number];
  checkShape('attention: k', k.shape, [batch, 'Hkv', 'Tk', width]);
  const [, kvHeads, keys] = k.shape as [number, number, number];
  checkShape('attention: v', v.shape, [batch, kvHeads, keys, 'Dv']);
  if (heads !== kvHeads && !(kvHeads > 0 && heads % kvHeads === 0)) {
    throw new InputError(
      `attention: q has ${heads} heads and k has ${kvHeads}; expected a multiple of k's`,
    );
  }
  for (const [name, x] of Object.entries({ q, k, v }))
    checkType(`attention: ${name}`, x, 'float32');
  if (mask) checkMask(mask, { B: batch, H: heads, Tq: queries, Tk: keys });
  if (sinks) {
    checkShape('attention: sinks', sinks.shape, [heads]);
    checkType('attention: sinks', sinks, 'float32');
  }
  if (dropout) checkDropout(dropout);
}

/** Makes `attention` use its WebGPU kernels. */
export function registerAttention(): void {
  registerWebGPUKernel('headwise/Attention', attentionKernel as never);
  registerWebGPUKernel('headwise/AttentionGradient', attentionGradientKernel as never);
  if (!tf.getGradient('headwise/Attention')) tf.registerGradient(attentionGradient);
}
