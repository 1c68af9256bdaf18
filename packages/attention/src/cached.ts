import { InputError, tapped } from '@headwise/core';
import { isTapped } from '@headwise/core/internal';
import type { KeyValueCache } from '@headwise/decoding';
import { masks, type RotaryTables } from '@headwise/kernels';
import {
  attentionReference,
  checkScoring,
  decodeAttention,
  type KeysValues,
} from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { type AttendOptions, attend } from './attend.js';

export interface CachedOptions extends Omit<AttendOptions, 'path'> {
  cache: KeyValueCache;
  /** The path of the layer, which its keys and values are kept by. */
  path: string;
  /** Rotations that q and k still need; only where the new tokens are `decodedInPlace`. */
  turn?: RotaryTables | undefined;
}

/** Whether new tokens go to the kernels of decoding alone, which rotate queries and keys as they load them. */
export function decodedInPlace(tokens: number, { cache, ...given }: CachedOptions): boolean {
  return cache.appendsInPlace(given.path, tokens) && isFused(given);
}

/**
 * Attention of new tokens to themselves and to those in a cache, to which it appends their keys and values.
 *
 * On WebGPU a few new tokens read the cache where it lies, with masks, score mods and sinks: nothing of it is copied.
 *
 * @param q `[B, H, T, Dh]`, k and v `[B, Hkv, T, Dh]`, for the new tokens; `ctx.lengths` gives how many of each sequence
 * are not padding
 * @returns `[B, H, T, Dh]`
 * @throws ShapeError where shapes do not fit each other or the cache; InputError where a mask cannot be
 * kept up over what the cache holds, and for what is not a mask or a score mod
 */
export function attendCached(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: CachedOptions,
): tf.Tensor {
  checkScoring('attendCached', options);
  const tokens = q.shape[2]!;
  const longest = options.cache.longestPiece;
  const counts = options.ctx?.lengths;
  if (tokens <= longest) return attendPiece(q, k, v, options, counts);
  return tf.tidy(() => {
    const pieces = [];
    for (let from = 0; from < tokens; from += longest) {
      const count = Math.min(longest, tokens - from);
      const [qs, ks, vs] = [q, k, v].map((x) => {
        const [batch, heads, , width] = x.shape as [number, number, number, number];
        return x.slice([0, 0, from, 0], [batch, heads, count, width]);
      }) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const real = counts?.map((n) => Math.max(0, Math.min(count, n - from)));
      pieces.push(attendPiece(qs, ks, vs, options, real));
    }
    return tf.concat(pieces, 2);
  });
}

function attendPiece(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  { cache, path, turn, ...options }: CachedOptions,
  counts: readonly number[] | undefined,
): tf.Tensor {
  const cached = cache.append(path, k, v, counts, turn);
  const given = { ...options, path };
  const { rows } = cached;
  if (cached.kind === 'passing') return attendVisible(q, rows, cached.visible, given);
  if (cached.kind === 'fresh') {
    if (!cached.lengths.some((n) => n < q.shape[2]!)) return attend(q, rows.k, rows.v, given);
    return tf.tidy(() => {
      const inLength = masks.padding(tf.tensor1d([...cached.lengths], 'int32'));
      return attend(q, rows.k, rows.v, {
        ...given,
        mask: masks.and(given.mask ?? masks.none, inLength),
      });
    });
  }
  const { length, places, ring } = cached;
  if (isFused(given)) {
    const { scale, mask = masks.none, mods, sinks } = given;
    return decodeAttention(q, rows.k, rows.v, {
      length,
      places,
      ring,
      scale,
      mask,
      mods,
      sinks,
      turn,
    });
  }
  if (places || ring) {
    return tf.tidy(() => attendVisible(q, cached.copied(), cached.visible, given));
  }
  return tf.tidy(() => {
    const { k, v } = cached.copied();
    return attend(q, k, v, given);
  });
}

type GivenOptions = Omit<CachedOptions, 'cache' | 'turn'>;

/** Whether the kernel of decoding computes all that is asked for: no scores or weights to show, no row term, no dropout. */
function isFused({ ctx, dropout, path, term }: GivenOptions): boolean {
  return (
    !term &&
    !isTapped(ctx, path, 'scores') &&
    !isTapped(ctx, path, 'pattern') &&
    !ctx?.onAttention &&
    !(dropout && ctx?.training)
  );
}

/** Causal attention where each query has a list of the keys that it sees. */
function attendVisible(
  q: tf.Tensor,
  { k, v }: KeysValues,
  visible: () => tf.Tensor4D,
  given: GivenOptions,
): tf.Tensor {
  const { mask = masks.none, scale, ctx, path, dropout, ...others } = given;
  const asked = Object.entries(others).filter(([, other]) => other !== undefined);
  if (mask !== masks.causal || asked.length > 0) {
    const what = [`mask '${mask.name}'`, ...asked.map(([name]) => `'${name}'`)];
    throw new InputError(
      `attention '${path}': ${what.join(', ')} over a cache whose sequences differ in length, or whose tokens leave a window; expected mask 'causal' alone`,
    );
  }
  const dropping = dropout && ctx?.training ? dropout : undefined;
  return tf.tidy(() => {
    return attentionReference(q, k, v, {
      mask: masks.none,
      scale: scale ?? 1 / Math.sqrt(q.shape[3]!),
      visible: visible(),
      onScores: (scores) => tapped(ctx, path, 'scores', scores),
      onPattern: (weights) => {
        const pattern = tapped(ctx, path, 'pattern', weights);
        return dropping ? dropping.forward(pattern, ctx) : pattern;
      },
    });
  });
}
