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

/** Sequences that a lane goes through with one pair of table entries. */
const sequencesPerLane = 4;
/** Channel pairs and positions of a workgroup: no lane divides to find its place. */
const [slotLanes, positionLanes] = [8, 8];

/** A lane turns one pair at one position in a few sequences, or passes two of the other channels. */
const rotaryProgram = variants(
  (layout: RotaryLayout) => layout,
  (layout) =>
    defineProgram({
      label: 'headwise/Rotary',
      inputs: { x: 'f32', cos: 'f32', sin: 'f32' },
      outputs: { y: 'f32' },
      params: { sequences: 'u32', length: 'u32', width: 'u32', pairs: 'u32', sign: 'f32' },
      wgsl: /* wgsl */ `
        @compute @workgroup_size(${slotLanes}, ${positionLanes})
        fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
          let slot = id.x;
          let position = id.y;
          if (2u * slot >= params.width || position >= params.length) { return; }
          let stride = params.length * params.width;
          let first = id.z * stride + position * params.width;
          let end = params.sequences * stride;
          if (slot >= params.pairs) {
            for (var row = first; row < end; row += count.z * stride) {
              let a = row + 2u * slot;
              y[a] = x[a];
              if (2u * slot + 1u < params.width) { y[a + 1u] = x[a + 1u]; }
            }
            return;
          }
          let angle = position * params.pairs + slot;
          let c = cos[angle];
          let s = sin[angle] * params.sign;
          ${members[layout]}
          for (var row = first; row < end; row += count.z * stride) {
            let x_a = x[row + a];
            let x_b = x[row + b];
            y[row + a] = x_a * c - x_b * s;
            y[row + b] = x_b * c + x_a * s;
          }
        }
      `,
    }),
);

interface Arguments {
  inputs: { x: tf.TensorInfo; cos: tf.TensorInfo; sin: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { layout: RotaryLayout; sign: number };
}

/** @returns x turned by the tables' angles, or back by them where `sign` is −1 */
export function rotaryKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const { x, cos } = inputs;
  const [length, width] = x.shape.slice(-2) as [number, number];
  const sequences = sizeOf(x.shape.slice(0, -2));
  const { y } = dispatch(backend, rotaryProgram(attrs.layout), {
    inputs,
    outputs: { y: { shape: x.shape, dtype: 'float32' } },
    params: { sequences, length, width, pairs: cos.shape[1]!, sign: attrs.sign },
    workgroups: [
      Math.ceil(width / 2 / slotLanes),
      Math.ceil(length / positionLanes),
      Math.min(Math.ceil(sequences / sequencesPerLane), 65_535),
    ],
  });
  return [y];
}
