import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, variants } from '../dispatch/program.js';
import type { RotaryLayout } from './tables.js';

/** Where a pair's members lie among the turned channels. */
const members: Readonly<Record<RotaryLayout, string>> = {
  'half-split': 'let a = slot; let b = slot + params.pairs;',
  interleaved: 'let a = 2u * slot; let b = a + 1u;',
};

/** Rows that a lane goes through with one pair of table entries. */
const rowsPerLane = 4;
/** Channel pairs and positions of a workgroup: no lane divides to find its place. */
const [slotLanes, positionLanes] = [8, 8];

interface Variant {
  layout: RotaryLayout;
  /** Whether each sequence has angles of its own. */
  own: boolean;
}

/** A lane turns one pair at one position in a few heads and sequences, or passes two of the other channels. */
const rotaryProgram = variants(
  ({ layout, own }: Variant) => `${layout}/${own}`,
  ({ layout, own }) => {
    const angles = (sequence: string) => /* wgsl */ `
      let angle = (${sequence} * params.tableStride + position) * params.pairs + slot;
      let c = cos[angle];
      let s = sin[angle] * params.sign;
    `;
    return defineProgram({
      label: 'headwise/Rotary',
      inputs: { x: 'f32', cos: 'f32', sin: 'f32' },
      outputs: { y: 'f32' },
      params: {
        batch: 'u32',
        heads: 'u32',
        first: 'u32',
        end: 'u32',
        batchStride: 'u32',
        headStride: 'u32',
        rowStride: 'u32',
        length: 'u32',
        width: 'u32',
        pairs: 'u32',
        tableStride: 'u32',
        sign: 'f32',
      },
      wgsl: /* wgsl */ `
        @compute @workgroup_size(${slotLanes}, ${positionLanes})
        fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
          let slot = id.x;
          let position = id.y;
          if (2u * slot >= params.width || position >= params.length) { return; }
          let turns = slot < params.pairs;
          ${own ? '' : angles('0u')}
          ${members[layout]}
          for (var n = id.z; n < params.batch * params.heads; n += count.z) {
            let sequence = n / params.heads;
            let head = n % params.heads;
            let row = sequence * params.batchStride + head * params.headStride + position * params.rowStride;
            if (turns && head >= params.first && head < params.end) {
              ${own ? angles('sequence') : ''}
              let x_a = x[row + a];
              let x_b = x[row + b];
              y[row + a] = x_a * c - x_b * s;
              y[row + b] = x_b * c + x_a * s;
            } else {
              let own = row + 2u * slot;
              y[own] = x[own];
              if (2u * slot + 1u < params.width) { y[own + 1u] = x[own + 1u]; }
            }
          }
        }
      `,
    });
  },
);

interface Arguments {
  /** `x` `[..., T, Dh]`, or `[B, T, N, Dh]` where heads are told of. */
  inputs: { x: tf.TensorInfo; cos: tf.TensorInfo; sin: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: RotaryAttributes;
}

/** How to turn. */
export interface RotaryAttributes {
  layout: RotaryLayout;
  /** −1 turns back. */
  sign: 1 | -1;
  /** The heads of each token that turn; undefined: x is `[..., T, Dh]`, and all of it turns. */
  heads?: { first: number; count: number } | undefined;
}

/** @returns x turned by the tables' angles, or back by them */
export function rotaryKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const { x, cos } = inputs;
  const { layout, sign } = attrs;
  const own = cos.shape.length === 3;
  const rows = rowsOf(x.shape, attrs.heads);
  const { y } = dispatch(backend, rotaryProgram({ layout, own }), {
    inputs,
    outputs: { y: { shape: x.shape, dtype: 'float32' } },
    params: { ...rows, pairs: cos.shape.at(-1)!, tableStride: own ? rows.length : 0, sign },
    workgroups: [
      Math.ceil(rows.width / 2 / slotLanes),
      Math.ceil(rows.length / positionLanes),
      Math.min(Math.ceil((rows.batch * rows.heads) / rowsPerLane), 65_535),
    ],
  });
  return [y];
}

/** The rows of x, and which of its heads turn. */
export function rowsOf(
  shape: readonly number[],
  heads: RotaryAttributes['heads'],
): Record<
  | ('batch' | 'heads' | 'first' | 'end' | 'length' | 'width')
  | ('batchStride' | 'headStride' | 'rowStride'),
  number
> {
  if (heads) {
    const [batch, tokens, all, own] = shape as [number, number, number, number];
    const { first, count } = heads;
    return {
      ...{ batch, heads: all, first, end: first + count, length: tokens, width: own },
      ...{ batchStride: tokens * all * own, headStride: own, rowStride: all * own },
    };
  }
  const [length, width] = shape.slice(-2) as [number, number];
  // Tables of each sequence go by the first axis.
  const [batch = 1, ...others] = shape.slice(0, -2);
  const all = sizeOf(others);
  return {
    ...{ batch, heads: all, first: 0, end: all, length, width },
    ...{ batchStride: all * length * width, headStride: length * width, rowStride: width },
  };
}
