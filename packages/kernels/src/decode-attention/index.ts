import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { attention } from '../attention/index.js';
import { causal } from '../attention/masks/order.js';
import { checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { decodeAttentionReference, usedPart } from './reference.js';
import { decodeAttentionKernel, mostQueries, widestHead } from './webgpu.js';

export interface DecodeAttentionOptions {
  /** The tokens in the cache, of the longest sequence, those of the queries included; the rest is not read. */
  length: number;
  /**
   * int32, `[B, 2]`, where sequences differ: the tokens of each, `0 … length`, and how many of them are
   * queries; queries beyond those are padding, whose results mean nothing.
   */
  places?: tf.Tensor | undefined;
  /** Default `1 / √Dh`. */
  scale?: number;
}

/**
 * Causal attention of a few new tokens over a cache of keys and values: `softmax(Q Kᵀ · scale) V`.
 *
 * Fused on WebGPU, where the keys are split among workgroups and their parts joined in a second pass.
 * It has no gradient there.
 *
 * @param q `[B, H, Tq, Dh]`, the last `Tq` of `length` tokens
 * @param k `[B, Hkv, C, Dh]`, a cache with room for `C` tokens; Hkv divides H
 * @param v `[B, Hkv, C, Dh]`
 * @returns `[B, H, Tq, Dh]`
 * @throws ShapeError where shapes do not fit; InputError for a length that is not `Tq … C`
 * @see Dao et al. 2023, https://crfm.stanford.edu/2023/10/12/flashdecoding.html
 */
export function decodeAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  { length, scale, places }: DecodeAttentionOptions,
): tf.Tensor {
  checkShape('decodeAttention: q', q.shape, ['B', 'H', 'Tq', 'Dh']);
  const [batch, heads, queries, width] = q.shape as [number, number, number, number];
  checkShape('decodeAttention: k', k.shape, [batch, 'Hkv', 'C', width]);
  checkShape('decodeAttention: v', v.shape, k.shape);
  const [, kvHeads, capacity] = k.shape as [number, number, number];
  if (!(kvHeads > 0 && heads % kvHeads === 0)) {
    throw new InputError(
      `decodeAttention: q has ${heads} heads and k has ${kvHeads}; expected a multiple of k's`,
    );
  }
  if (!(Number.isInteger(length) && length >= queries && length <= capacity)) {
    throw new InputError(
      `decodeAttention: length is ${length}; expected ${queries} (queries) to ${capacity} (room in the cache)`,
    );
  }
  for (const [name, x] of Object.entries({ q, k, v })) {
    checkType(`decodeAttention: ${name}`, x, 'float32');
  }
  if (places) {
    checkShape('decodeAttention: places', places.shape, [batch, 2]);
    checkType('decodeAttention: places', places, 'int32');
  }
  const factor = scale ?? 1 / Math.sqrt(Math.max(1, width));
  if (!hasKernel('headwise/DecodeAttention') || q.size === 0 || width > widestHead) {
    return decodeAttentionReference(q, k, v, length, factor, places);
  }
  if (queries > mostQueries && !places) {
    // Enough rows for the tiles of a whole pass.
    const [keys, values] = [usedPart(k, length), usedPart(v, length)];
    const y = attention(q, keys, values, { scale: factor, mask: causal });
    tf.dispose([keys, values]);
    return y;
  }
  return tf.tidy(
    () =>
      runKernel(
        'headwise/DecodeAttention',
        { q, k, v, ...(places ? { places } : {}) },
        { length, scale: factor },
      )[0]!,
  );
}

/** Makes `decodeAttention` use its WebGPU kernels. */
export function registerDecodeAttention(): void {
  registerWebGPUKernel('headwise/DecodeAttention', decodeAttentionKernel as never);
}
