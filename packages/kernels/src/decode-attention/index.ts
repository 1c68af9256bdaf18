import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkScoring } from '../attention/check-scoring.js';
import { checkTables } from '../attention/check-tables.js';
import { attention } from '../attention/index.js';
import { checkMask, type Mask } from '../attention/masks/mask.js';
import { causal } from '../attention/masks/order.js';
import type { ScoreMod } from '../attention/mods.js';
import { pairFunctions } from '../attention/score/functions.js';
import { checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkTables as checkRotaryTables, rotary } from '../rotary/index.js';
import type { RotaryTables } from '../rotary/tables.js';
import { unpackHalves, wordsOf } from './halves.js';
import { decodeAttentionReference, usedPart } from './reference.js';
import type { Ring } from './ring.js';
import { decodeAttentionKernel, mostQueries, widestHead } from './webgpu.js';

export interface DecodeAttentionOptions {
  /** The tokens of the longest sequence, those of the queries included. */
  length: number;
  /**
   * int32, `[B, 2]`, where sequences differ: the tokens of each, `0 … length`, and how many of them are
   * queries; queries beyond those are padding, whose results mean nothing.
   */
  places?: tf.Tensor | undefined;
  /** The window of a cache that keeps the latest tokens only, `C = sinks + size`; default: a token lies at its position. */
  ring?: Ring | undefined;
  /** Default `1 / √Dh`. */
  scale?: number | undefined;
  /** At the positions of tokens in their sequence; default `causal`. */
  mask?: Mask | undefined;
  /** What is done to the scaled products before the softmax, in this order. */
  mods?: readonly ScoreMod[] | undefined;
  /** `[H]`: a learned score for each head that takes part in the softmax and has no value. */
  sinks?: tf.Tensor | undefined;
  /** What queries are turned by as they are loaded, of keys that are turned already. */
  turn?: RotaryTables | undefined;
}

/**
 * Attention of a few new tokens over a cache of keys and values, which is read where it lies:
 * `softmax(mods(Q Kᵀ · scale) + M) V`.
 *
 * Fused on WebGPU, where the keys are split among workgroups and their parts joined in a second pass.
 * It has no gradient there.
 *
 * @param q `[B, H, Tq, Dh]`, the last `Tq` of `length` tokens
 * @param k `[B, Hkv, C, Dh]`, a cache with room for `C` tokens, where Hkv divides H; or int32,
 * `[B, Hkv, C, ⌈Dh / 2⌉]`, which holds halves, two in a word, on WebGPU
 * @param v as k
 * @returns `[B, H, Tq, Dh]`
 * @throws ShapeError where shapes do not fit; InputError for a length that is not `Tq … C`, for what is not a mask or a score
 * mod, and for a mask made for other sizes
 * @see Dao et al. 2023, https://crfm.stanford.edu/2023/10/12/flashdecoding.html
 */
export function decodeAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: DecodeAttentionOptions,
): tf.Tensor {
  const { length, places, ring, sinks, turn, mask = causal, mods = [] } = options;
  check(q, k, v, options);
  const [batch, heads, queries, width] = q.shape as [number, number, number, number];
  checkMask(mask, { B: batch, H: heads, Tq: queries, Tk: length });
  checkTables('decodeAttention', { mask, mods }, { batch, heads });
  const turned = () => (turn && q.size > 0 ? rotary(q, turn.cos, turn.sin, turn.layout) : q);
  const scale = options.scale ?? 1 / Math.sqrt(Math.max(1, width));
  const values = (x: tf.Tensor) => (k.dtype === 'int32' ? unpackHalves(x, width) : x);
  if (!hasKernel('headwise/DecodeAttention') || q.size === 0 || width > widestHead) {
    const scoring = { mask, mods, scale, length, places, ring, sinks };
    return tf.tidy(() => decodeAttentionReference(turned(), values(k), values(v), scoring));
  }
  if (queries > mostQueries && !places && !ring) {
    // Enough rows for the tiles of a whole pass.
    return tf.tidy(() => {
      const [keys, ofKeys] = [usedPart(values(k), length), usedPart(values(v), length)];
      return attention(turned(), keys, ofKeys, { scale, mask, mods, sinks });
    });
  }
  const pairs = pairFunctions({ mask, mods, scale });
  const tables = pairs.graph.tables.map(({ tensor }, n) => [`table${n}`, tensor]);
  return tf.tidy(
    () =>
      runKernel(
        'headwise/DecodeAttention',
        {
          q,
          k,
          v,
          ...(places ? { places } : {}),
          ...(sinks ? { sinks } : {}),
          ...(turn ? { cos: turn.cos, sin: turn.sin } : {}),
          ...Object.fromEntries(tables),
        },
        { length, ring, pairs, layout: turn?.layout },
      )[0]!,
  );
}

function check(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  { length, places, ring, sinks, turn, mask, mods }: DecodeAttentionOptions,
): void {
  checkScoring('decodeAttention', { mask, mods });
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
  const most = ring ? Number.MAX_SAFE_INTEGER : capacity;
  if (!(Number.isInteger(length) && length >= queries && length <= most)) {
    throw new InputError(
      `decodeAttention: length is ${length}; expected ${queries} (queries) to ${most} (room in the cache)`,
    );
  }
  if (ring && ring.sinks + ring.size !== capacity) {
    throw new InputError(
      `decodeAttention: a window of ${ring.size} with ${ring.sinks} sinks in a cache for ${capacity}; expected their sum`,
    );
  }
  checkType('decodeAttention: q', q, 'float32');
  if (!halves) checkType('decodeAttention: k', k, 'float32');
  checkType('decodeAttention: v', v, k.dtype);
  if (places) {
    checkShape('decodeAttention: places', places.shape, [batch, 2]);
    checkType('decodeAttention: places', places, 'int32');
  }
  if (sinks) {
    checkShape('decodeAttention: sinks', sinks.shape, [heads]);
    checkType('decodeAttention: sinks', sinks, 'float32');
  }
  if (turn && q.size > 0) checkRotaryTables('decodeAttention', turn, q.shape);
}

/** Makes `decodeAttention` use its WebGPU kernels. */
export function registerDecodeAttention(): void {
  registerWebGPUKernel('headwise/DecodeAttention', decodeAttentionKernel);
}
