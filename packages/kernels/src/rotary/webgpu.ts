import { sizeOf } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram, variants } from '../dispatch/program.js';
import type { RotaryLayout } from './index.js';

/** Where a pair's members lie among the turned channels. */
const members: Readonly<Record<RotaryLayout, string>> = {
  'half-split': 'let a = start + slot; let b = a + params.pairs;',
  interleaved: 'let a = start + 2u * slot; let b = a + 1u;',
};

/** A lane turns one pair, or passes two of the other channels. */
const rotaryProgram = variants(
  (layout: RotaryLayout) => layout,
  (layout) =>
    defineProgram({
      label: 'headwise/Rotary',
      inputs: { x: 'f32', cos: 'f32', sin: 'f32' },
      outputs: { y: 'f32' },
      params: { slots: 'u32', size: 'u32', length: 'u32', width: 'u32', pairs: 'u32', sign: 'f32' },
      wgsl: /* wgsl */ `
        @compute @workgroup_size(64)
        fn main(
          @builtin(workgroup_id) workgroup: vec3u,
          @builtin(num_workgroups) count: vec3u,
          @builtin(local_invocation_index) lane: u32,
        ) {
          let i = (workgroup.y * count.x + workgroup.x) * 64u + lane;
          if (i >= params.size) { return; }
          let row = i / params.slots;
          let slot = i % params.slots;
          let start = row * params.width;
          if (slot >= params.pairs) {
            let first = start + 2u * slot;
            y[first] = x[first];
            if (2u * slot + 1u < params.width) { y[first + 1u] = x[first + 1u]; }
            return;
          }
          let angle = row % params.length * params.pairs + slot;
          let c = cos[angle];
          let s = sin[angle] * params.sign;
          ${members[layout]}
          let x_a = x[a];
          let x_b = x[b];
          y[a] = x_a * c - x_b * s;
          y[b] = x_b * c + x_a * s;
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
  const slots = Math.ceil(width / 2);
  const size = (sizeOf(x.shape) / width) * slots;
  const { y } = dispatch(backend, rotaryProgram(attrs.layout), {
    inputs,
    outputs: { y: { shape: x.shape, dtype: 'float32' } },
    params: { slots, size, length, width, pairs: cos.shape[1]!, sign: attrs.sign },
    workgroups: spread(Math.ceil(size / 64)),
  });
  return [y];
}
