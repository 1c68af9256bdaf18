import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { checkType } from '../dispatch/check.js';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';

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
 * @throws ShapeError where shapes do not fit; InputError where the tokens do not fit into the cache
 */
export function appendKeysValues(
  cache: KeysValues<tf.Variable>,
  added: KeysValues,
  position: number,
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
  if (!hasKernel('headwise/AppendKeysValues')) {
    replaceRows(cache.k, added.k, position);
    replaceRows(cache.v, added.v, position);
    return;
  }
  ownBuffer(cache.k);
  ownBuffer(cache.v);
  runKernel(
    'headwise/AppendKeysValues',
    { k: added.k, v: added.v, cacheK: cache.k, cacheV: cache.v },
    { position, sinks: 0, ring: capacity },
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

/** What tokens come with, and how they are kept. */
interface Variant {
  /** Whether each sequence has a place of its own. */
  placed: boolean;
  /** Whether two values are kept in a word, as halves. */
  halves: boolean;
}

/** WGSL of what is kept of a row: a value, or two in a word, the last of an odd width alone. */
const stored = (x: string, halves: boolean) =>
  halves
    ? `pack2x16float(clamp(vec2f(${x}[at], select(0.0, ${x}[min(at + 1u, params.last)], column + 1u < params.width)), vec2f(-65504.0), vec2f(65504.0)))`
    : `${x}[at]`;

const appendProgram = variants(
  ({ placed, halves }: Variant) => `${placed}/${halves}`,
  ({ placed, halves }) =>
    defineProgram({
      label: 'headwise/AppendKeysValues',
      inputs: { k: 'f32', v: 'f32', ...(placed ? { places: 'i32' } : {}) } as Record<
        'k' | 'v',
        ElementType
      >,
      outputs: halves ? { cacheK: 'u32', cacheV: 'u32' } : { cacheK: 'f32', cacheV: 'f32' },
      params: {
        size: 'u32',
        last: 'u32',
        tokens: 'u32',
        heads: 'u32',
        width: 'u32',
        stored: 'u32',
        capacity: 'u32',
        position: 'u32',
        sinks: 'u32',
        ring: 'u32',
      },
      wgsl: /* wgsl */ `
      // The token after the last new one, and how many of those given are new.
      fn placed(sequence: u32) -> vec2u {
        ${
          placed
            ? 'return vec2u(u32(places[2u * sequence]), u32(places[2u * sequence + 1u]));'
            : 'return vec2u(params.position + params.tokens, params.tokens);'
        }
      }

      @compute @workgroup_size(64)
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(local_invocation_index) lane: u32,
      ) {
        let i = (workgroup.y * count.x + workgroup.x) * 64u + lane;
        if (i >= params.size) { return; }
        let row = i / params.stored;
        let head = row / params.tokens;
        let t = row % params.tokens;
        let end = placed(head / params.heads);
        let token = end.x - end.y + t;
        let late = token >= params.sinks;
        // Of tokens that share a place, the last stays.
        if (t >= end.y || (late && token + params.ring < end.x)) { return; }
        let slot = select(token, params.sinks + (token - params.sinks) % params.ring, late);
        let column = i % params.stored${halves ? ' * 2u' : ''};
        let at = row * params.width + column;
        let to = (head * params.capacity + slot) * params.stored + i % params.stored;
        cacheK[to] = ${stored('k', halves)};
        cacheV[to] = ${stored('v', halves)};
      }
    `,
    }),
);

interface KernelArguments {
  inputs: Record<'k' | 'v' | 'cacheK' | 'cacheV', tf.TensorInfo> & {
    /** int32, `[B, 2]`: the tokens of each sequence, and how many of them are new. */
    places?: tf.TensorInfo;
  };
  backend: WebGPUBackend;
  attrs: {
    /** The first new token, where there are no places. */
    position: number;
    /** The first tokens, which keep their places; the later ones take turns in `ring`. */
    sinks: number;
    ring: number;
  };
}

function appendKernel({ inputs, backend, attrs }: KernelArguments): tf.TensorInfo[] {
  const { k, v, cacheK, cacheV, places } = inputs;
  const [batch, heads, tokens, width] = k.shape as [number, number, number, number];
  const halves = cacheK.dtype === 'int32';
  const stored = cacheK.shape[3]!;
  const size = batch * heads * tokens * stored;
  if (size === 0) return [];
  dispatch(backend, appendProgram({ placed: places !== undefined, halves }), {
    inputs: { k, v, ...(places ? { places } : {}) },
    outputs: { cacheK, cacheV },
    params: {
      size,
      last: batch * heads * tokens * width - 1,
      tokens,
      heads,
      width,
      stored,
      capacity: cacheK.shape[2]!,
      ...attrs,
    },
    workgroups: spread(Math.ceil(size / 64)),
  });
  return [];
}

/** Makes `appendKeysValues` use its WebGPU kernel. */
export function registerAppendKeysValues(): void {
  registerWebGPUKernel('headwise/AppendKeysValues', appendKernel as never);
}
