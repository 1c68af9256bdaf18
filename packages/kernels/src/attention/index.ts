import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { attentionGradient } from './gradient.js';
import { type Mask, none } from './mask.js';
import { attentionReference } from './reference.js';
import { attentionGradientKernel, attentionKernel, widestHead } from './webgpu.js';

export interface AttentionOptions {
  /** Default `none`. */
  mask?: Mask;
  /** Default `1 / √Dh`. */
  scale?: number;
  /** `[B]`, int32: the number of keys of each sequence that are no padding; default all. */
  lengths?: tf.Tensor;
}

/**
 * Scaled dot-product attention, fused on WebGPU: `softmax(Q Kᵀ · scale + M) V`.
 *
 * Nothing of size `Tq · Tk` is stored, forward or backward. A query that sees no key gives zeros.
 * With fewer heads of keys than of queries, `H / Hkv` neighbouring query heads share one.
 *
 * @param q `[B, H, Tq, Dh]`
 * @param k `[B, Hkv, Tk, Dh]`, where Hkv divides H
 * @param v `[B, Hkv, Tk, Dh]`
 * @returns `[B, H, Tq, Dh]`
 * @throws ShapeError where batch, heads, lengths or widths do not fit; InputError for a type that is not float32
 * @see Dao 2023, https://arxiv.org/abs/2307.08691; Ainslie et al. 2023, https://arxiv.org/abs/2305.13245
 */
export function attention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  { mask = none, scale, lengths }: AttentionOptions = {},
): tf.Tensor {
  checkInputs(q, k, v, lengths);
  const width = q.shape[3]!;
  const factor = scale ?? 1 / Math.sqrt(Math.max(1, width));
  if (q.size === 0 || k.size === 0) return withoutKeys(q, k, v);
  if (!hasKernel('headwise/Attention') || width > widestHead) {
    return attentionReference(q, k, v, { mask, scale: factor, ...(lengths ? { lengths } : {}) });
  }
  return tf.tidy(
    () =>
      runKernel(
        'headwise/Attention',
        { q, k, v, ...(lengths ? { lengths } : {}) },
        { mask: mask.kind, scale: factor },
      )[0]!,
  );
}

/** Zeros that depend on the inputs, so that each has a gradient of zeros. */
function withoutKeys(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor {
  return tf.customGrad((q, k, v) => ({
    value: tf.zeros((q as tf.Tensor).shape),
    gradFunc: () => [q, k, v].map((x) => tf.zeros((x as tf.Tensor).shape)),
  }))(q, k, v);
}

function checkInputs(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, lengths?: tf.Tensor): void {
  checkShape('attention: q', q.shape, ['B', 'H', 'Tq', 'Dh']);
  const [batch, heads, , width] = q.shape as [number, number, number, number];
  checkShape('attention: k', k.shape, [batch, 'Hkv', 'Tk', width]);
  checkShape('attention: v', v.shape, k.shape);
  const kvHeads = k.shape[1]!;
  if (heads !== kvHeads && !(kvHeads > 0 && heads % kvHeads === 0)) {
    throw new InputError(
      `attention: q has ${heads} heads and k has ${kvHeads}; expected a multiple of k's`,
    );
  }
  for (const [name, x] of Object.entries({ q, k, v }))
    checkType(`attention: ${name}`, x, 'float32');
  if (!lengths) return;
  checkShape('attention: lengths', lengths.shape, [batch]);
  checkType('attention: lengths', lengths, 'int32');
}

/** Makes `attention` use its WebGPU kernels. */
export function registerAttention(): void {
  registerWebGPUKernel('headwise/Attention', attentionKernel as never);
  registerWebGPUKernel('headwise/AttentionGradient', attentionGradientKernel as never);
  if (!tf.getGradient('headwise/Attention')) tf.registerGradient(attentionGradient);
}
