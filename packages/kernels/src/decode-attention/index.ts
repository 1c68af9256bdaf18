import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { attention } from '../attention/index.js';
import { causal } from '../attention/masks/order.js';
import { checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkTables, type RotaryTables, rotary } from '../rotary/index.js';
import { unpackHalves, wordsOf } from './halves.js';
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
  /** What queries are turned by as they are loaded, of keys that are turned already. */
  turn?: RotaryTables | undefined;
}

/**
 * Causal attention of a few new tokens over a cache of keys and values: `softmax(Q Kᵀ · scale) V`.
 *
 * Fused on WebGPU, where the keys are split among workgroups and their parts joined in a second pass.
 * It has no gradient there.
 *
 * @param q `[B, H, Tq, Dh]`, the last `Tq` of `length` tokens
 * @param k `[B, Hkv, C, Dh]`, a cache with room for `C` tokens, where Hkv divides H; or int32,
 * `[B, Hkv, C, ⌈Dh / 2⌉]`, which holds halves, two in a word, on WebGPU
 * @param v as k
 * @returns `[B, H, Tq, Dh]`
 * @throws ShapeError where shapes do not fit; InputError for a length that is not `Tq … C`
 * @see Dao et al. 2023, https://crfm.stanford.edu/2023/10/12/flashdecoding.html
 */
export function decodeAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  { length, scale, places, turn }: DecodeAttentionOptions,
): tf.Tensor {
  checkShape('decodeAttention: q', q.shape, ['B', 'H', 'Tq', 'Dh']);
  const [batch, heads, queries, width] = q.shape as [number, number, number, number];
  const halves = k.dtype === 'int32';
  checkShape('decodeAttention: k', k.shape, [batch, 'Hkv', 'C', halves ? wordsOf(width) : width]);
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
  checkType('decodeAttention: q', q, 'float32');
  if (!halves) checkType('decodeAttention: k', k, 'float32');
  checkType('decodeAttention: v', v, k.dtype);
  if (places) {
    checkShape('decodeAttention: places', places.shape, [batch, 2]);
    checkType('decodeAttention: places', places, 'int32');
  }
  if (turn && q.size > 0) checkTables('decodeAttention', turn, q.shape);
  const turned = () => (turn && q.size > 0 ? rotary(q, turn.cos, turn.sin, turn.layout) : q);
  const factor = scale ?? 1 / Math.sqrt(Math.max(1, width));
  const whole = (x: tf.Tensor) => usedPart(halves ? unpackHalves(x, width) : x, length);
  if (!hasKernel('headwise/DecodeAttention') || q.size === 0 || width > widestHead) {
    return tf.tidy(() =>
      decodeAttentionReference(turned(), whole(k), whole(v), length, factor, places),
    );
  }
  if (queries > mostQueries && !places) {
    // Enough rows for the tiles of a whole pass.
    return tf.tidy(() => attention(turned(), whole(k), whole(v), { scale: factor, mask: causal }));
  }
  return tf.tidy(
    () =>
      runKernel(
        'headwise/DecodeAttention',
        {
          q,
          k,
          v,
          ...(places ? { places } : {}),
          ...(turn ? { cos: turn.cos, sin: turn.sin } : {}),
        },
        { length, scale: factor, ...(turn ? { layout: turn.layout } : {}) },
      )[0]!,
  );
}

/** Makes `decodeAttention` use its WebGPU kernels. */
export function registerDecodeAttention(): void {
  registerWebGPUKernel('headwise/DecodeAttention', decodeAttentionKernel);
}
