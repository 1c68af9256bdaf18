import { keyOf, sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram } from '../dispatch/program.js';
import { philoxWgsl } from '../philox/philox.js';
import { thresholdOf } from './reference.js';

/** Each lane has the four values of one counter, 64 apart, so that lanes lie side by side. */
const program = defineProgram({
  label: 'headwise/Dropout',
  inputs: { x: 'f32' },
  outputs: { y: 'f32' },
  params: { size: 'u32', key0: 'u32', key1: 'u32', threshold: 'u32', scale: 'f32' },
  wgsl: /* wgsl */ `
    ${philoxWgsl}
    @compute @workgroup_size(64)
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let block = workgroup.y * count.x + workgroup.x;
      let words = philox(vec4u(block * 64u + lane, 0, 0, 0), vec2u(params.key0, params.key1));
      for (var word = 0u; word < 4u; word++) {
        let i = block * 256u + word * 64u + lane;
        if (i < params.size) {
          y[i] = x[i] * select(0.0, params.scale, words[word] >= params.threshold);
        }
      }
    }
  `,
});

interface Arguments {
  inputs: { x: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { rate: number; seed: number };
}

/** @returns x with the seed's places dropped */
export function dropoutKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const { x } = inputs;
  const size = sizeOf(x.shape);
  const [key0, key1] = keyOf(attrs.seed);
  const { y } = dispatch(backend, program, {
    inputs: { x },
    outputs: { y: { shape: x.shape, dtype: 'float32' } },
    params: {
      size,
      key0,
      key1,
      threshold: thresholdOf(attrs.rate),
      scale: 1 / (1 - attrs.rate),
    },
    workgroups: spread(Math.ceil(size / 256)),
  });
  return [y];
}
