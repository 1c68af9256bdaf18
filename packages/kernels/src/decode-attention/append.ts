import { checkShape, InputError } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import { checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkTables } from '../rotary/index.js';
import type { RotaryTables } from '../rotary/tables.js';
import { appendKernel } from './append-kernel.js';
import { wordsOf } from './halves.js';
import type { Ring } from './ring.js';

/** Keys and values of one layer, `[B, Hkv, T, Dh]` each. */
export interface KeysValues<T extends tf.Tensor = tf.Tensor> {
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
 * Writes the keys and values of new tokens into a cache, in place, without a copy; one dispatch on WebGPU. On WebGPU and wasm only.
 *
 * @param cache `[B, Hkv, C, Dh]` each, whose values no other tensor shares; or int32 `[B, Hkv, C, ⌈Dh / 2⌉]`, halves two in
 * a word
 * @param added `[B, Hkv, T, Dh]` each
 * @throws ShapeError where shapes do not fit; InputError where the tokens do not fit into the cache, and without the kernel
 */
export function appendKeysValues(
  cache: KeysValues,
  added: KeysValues,
  { position, ring, places, turn }: AppendOptions,
): void {
  checkShape('appendKeysValues: added.k', added.k.shape, ['B', 'Hkv', 'T', 'Dh']);
  checkShape('appendKeysValues: added.v', added.v.shape, added.k.shape);
  checkType('appendKeysValues: added.k', added.k, 'float32');
  checkType('appendKeysValues: added.v', added.v, 'float32');
  const [batch, heads, tokens, width] = added.k.shape as [number, number, number, number];
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
  if (added.k.size === 0) return;
  if (turn) checkTables('appendKeysValues', turn, added.k.shape);
  if (!appendsInPlace()) {
    throw new InputError(
      'appendKeysValues: needs kernels, for webgpu or wasm; expected start() of @headwise/kernels',
    );
  }
  runKernel(
    'headwise/AppendKeysValues',
    {
      ...added,
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
    },
  );
}

/** Makes `appendKeysValues` use its WebGPU kernel. */
export function registerAppendKeysValues(): void {
  registerWebGPUKernel('headwise/AppendKeysValues', appendKernel);
}
