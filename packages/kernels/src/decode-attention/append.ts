import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { Heads } from '../attention/heads.js';
import { checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkTables } from '../rotary/index.js';
import type { RotaryTables } from '../rotary/tables.js';
import { appendKernel } from './append-kernel.js';
import { wordsOf } from './halves.js';
import type { Ring } from './ring.js';
import { strided } from './strided.js';

/** Keys and values of one layer, `[B, Hkv, T, Dh]` each. */
export interface KeysValues<T extends tf.Tensor | Heads = tf.Tensor> {
  k: T;
  v: T;
}

export interface AppendOptions {
  /** The position of the first new token of the longest sequence. */
  position: number;
  /** The window of a cache that keeps the latest tokens only; default: every token has a place of its own. */
  ring?: Ring | undefined;
  /** int32, `[B, 2]`, where sequences differ: the tokens of each, new ones included, and how many are new. */
  places?: tf.Tensor | undefined;
  /** Rotates keys as they are written; `decodeAttention` takes it for the queries. */
  turn?: RotaryTables | undefined;
}

/** Whether the backend in use can append in place. */
export const appendsInPlace = (): boolean => hasKernel('headwise/AppendKeysValues');

/**
 * Writes the keys and values of new tokens into a cache, in place; one dispatch on WebGPU, which reads them where they lie. On
 * WebGPU and wasm only.
 *
 * @param cache `[B, Hkv, C, Dh]` each, whose values no other tensor shares; or int32 `[B, Hkv, C, ⌈Dh / 2⌉]`, halves two in
 * a word
 * @param added `[B, Hkv, T, Dh]` each, as tensors or where a projection wrote them
 * @throws ShapeError where shapes do not fit; InputError where the tokens do not fit into the cache, and without the kernel
 */
export function appendKeysValues(
  cache: KeysValues,
  added: KeysValues<tf.Tensor | Heads>,
  { position, ring, places, turn }: AppendOptions,
): void {
  const [k, v] = [Heads.of(added.k), Heads.of(added.v)];
  checkShape('appendKeysValues: added.k', k.shape, ['B', 'Hkv', 'T', 'Dh']);
  checkShape('appendKeysValues: added.v', v.shape, k.shape);
  checkType('appendKeysValues: added.k', k.tensor, 'float32');
  checkType('appendKeysValues: added.v', v.tensor, 'float32');
  const [batch, heads, tokens, width] = k.shape;
  const stored = cache.k.dtype === 'int32' ? wordsOf(width) : width;
  checkShape('appendKeysValues: cache.k', cache.k.shape, [batch, heads, 'C', stored]);
  checkShape('appendKeysValues: cache.v', cache.v.shape, cache.k.shape);
  const capacity = cache.k.shape[2]!;
  const room = ring ? ring.sinks + ring.size <= capacity : position + tokens <= capacity;
  if (!(Number.isInteger(position) && position >= 0 && room)) {
    throw new InputError(
      `appendKeysValues: ${tokens} tokens at position ${position} do not fit into a cache for ${capacity}`,
    );
  }
  if (places) {
    checkShape('appendKeysValues: places', places.shape, [batch, 2]);
    checkType('appendKeysValues: places', places, 'int32');
  }
  if (k.size === 0) return;
  if (turn) checkTables('appendKeysValues', turn, k.shape);
  if (!appendsInPlace()) {
    throw new InputError(
      'appendKeysValues: needs kernels, for webgpu or wasm; expected start() of @headwise/kernels',
    );
  }
  tf.tidy(() => {
    const [ofK, ofV] = [strided(k), strided(v)];
    runKernel(
      'headwise/AppendKeysValues',
      {
        k: ofK.tensor,
        v: ofV.tensor,
        cacheK: cache.k,
        cacheV: cache.v,
        ...(places ? { places } : {}),
        ...(turn ? { cos: turn.cos, sin: turn.sin } : {}),
      },
      {
        position,
        sinks: ring?.sinks ?? 0,
        ring: ring?.size ?? capacity,
        ...(turn ? { layout: turn.layout } : {}),
        heads: { k: ofK.place, v: ofV.place },
      },
    );
  });
}

/** Makes `appendKeysValues` use its WebGPU kernel. */
export function registerAppendKeysValues(): void {
  registerWebGPUKernel('headwise/AppendKeysValues', appendKernel);
}
