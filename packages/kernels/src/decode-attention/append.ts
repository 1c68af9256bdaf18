import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkTables, type RotaryTables, rotary } from '../rotary/index.js';
import { appendKernel } from './append-kernel.js';

/** Keys and values of one layer, `[B, Hkv, T, Dh]` each. */
export interface KeysValues<T extends tf.Tensor = tf.Tensor> {
  k: T;
  v: T;
}

/**
 * Writes the keys and values of new tokens into a cache, in place: one dispatch on WebGPU, no copy.
 *
 * @param cache `[B, Hkv, C, Dh]` each
 * @param added `[B, Hkv, T, Dh]` each
 * @param position the place of the first new token, `0 … C − T`
 * @param turn what keys are turned by on their way; `decodeAttention` takes it for the queries
 * @throws ShapeError where shapes do not fit; InputError where the tokens do not fit into the cache
 */
export function appendKeysValues(
  cache: KeysValues<tf.Variable>,
  added: KeysValues,
  position: number,
  turn?: RotaryTables,
): void {
  checkShape('appendKeysValues: cache.k', cache.k.shape, ['B', 'Hkv', 'C', 'Dh']);
  checkShape('appendKeysValues: cache.v', cache.v.shape, cache.k.shape);
  const [batch, heads, capacity, width] = cache.k.shape as [number, number, number, number];
  checkShape('appendKeysValues: added.k', added.k.shape, [batch, heads, 'T', width]);
  checkShape('appendKeysValues: added.v', added.v.shape, added.k.shape);
  checkType('appendKeysValues: added.k', added.k, 'float32');
  checkType('appendKeysValues: added.v', added.v, 'float32');
  const tokens = added.k.shape[2]!;
  if (!(Number.isInteger(position) && position >= 0 && position + tokens <= capacity)) {
    throw new InputError(
      `appendKeysValues: ${tokens} tokens at position ${position} do not fit into a cache for ${capacity}`,
    );
  }
  if (added.k.size === 0) return;
  if (turn) checkTables('appendKeysValues', turn, added.k.shape);
  if (!hasKernel('headwise/AppendKeysValues')) {
    tf.tidy(() => {
      const { k, v } = added;
      replaceRows(cache.k, turn ? rotary(k, turn.cos, turn.sin, turn.layout) : k, position);
      replaceRows(cache.v, v, position);
    });
    return;
  }
  ownBuffer(cache.k);
  ownBuffer(cache.v);
  runKernel(
    'headwise/AppendKeysValues',
    {
      ...added,
      cacheK: cache.k,
      cacheV: cache.v,
      ...(turn ? { cos: turn.cos, sin: turn.sin } : {}),
    },
    { position, sinks: 0, ring: capacity, ...(turn ? { layout: turn.layout } : {}) },
  );
}

/** The same in plain operations, which copy the whole cache. */
function replaceRows(cache: tf.Variable, rows: tf.Tensor, position: number): void {
  const [batch, heads, capacity, width] = cache.shape as [number, number, number, number];
  const end = position + rows.shape[2]!;
  const part = (from: number, to: number) =>
    cache.slice([0, 0, from, 0], [batch, heads, to - from, width]);
  tf.tidy(() => cache.assign(tf.concat([part(0, position), rows, part(end, capacity)], 2)));
}

/** Gives a variable a buffer of its own where another tensor shares its values, which must not change. */
function ownBuffer(variable: tf.Variable): void {
  if ((tf.backend() as WebGPUBackend).refCount(variable.dataId) === 1) return;
  tf.tidy(() => variable.assign(variable.add(0)));
}

/** Makes `appendKeysValues` use its WebGPU kernel. */
export function registerAppendKeysValues(): void {
  registerWebGPUKernel('headwise/AppendKeysValues', appendKernel);
}
