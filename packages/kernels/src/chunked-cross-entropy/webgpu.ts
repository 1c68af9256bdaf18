import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { crossEntropyGradientInPlace, type GradientArguments } from '../cross-entropy/webgpu.js';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram } from '../dispatch/program.js';

const addInPlaceProgram = defineProgram({
  label: 'headwise/AddInPlace',
  inputs: { addend: 'f32' },
  outputs: { sum: 'f32' },
  params: { size: 'u32' },
  wgsl: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let i = (workgroup.y * count.x + workgroup.x) * 64u + lane;
      if (i < params.size) { sum[i] += addend[i]; }
    }
  `,
});

interface AddArguments {
  inputs: { sum: tf.TensorInfo; addend: tf.TensorInfo };
  backend: WebGPUBackend;
}

/** Adds a tensor to one that nobody else reads; makes no output. */
export function addInPlaceKernel({ inputs, backend }: AddArguments): tf.TensorInfo[] {
  const { sum, addend } = inputs;
  const size = sizeOf(sum.shape);
  dispatch(backend, addInPlaceProgram, {
    inputs: { addend },
    outputs: { sum },
    params: { size },
    workgroups: spread(Math.ceil(size / 64)),
  });
  return [];
}

/** Replaces logits by their gradient; makes no output. */
export function crossEntropyGradientInPlaceKernel(args: GradientArguments): tf.TensorInfo[] {
  crossEntropyGradientInPlace(args);
  return [];
}
