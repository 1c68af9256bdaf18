import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { crossEntropyGradientInPlace, type GradientArguments } from '../cross-entropy/webgpu.js';
import { dispatch } from '../dispatch/dispatch.js';
import { boundParts, elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram } from '../dispatch/program.js';

const addInPlaceProgram = defineProgram({
  label: 'headwise/AddInPlace',
  inputs: { addend: 'f32' },
  outputs: { sum: 'f32' },
  params: { size: 'u32' },
  wgsl: perElement(/* wgsl */ `sum[i] += addend[i];`),
});

interface AddArguments {
  inputs: { sum: tf.TensorInfo; addend: tf.TensorInfo };
  backend: WebGPUBackend;
}

/** Adds a tensor in place to one that no other operation reads; makes no output. */
export function addInPlaceKernel({ inputs, backend }: AddArguments): tf.TensorInfo[] {
  const { sum, addend } = inputs;
  for (const { size, range } of boundParts(backend, sizeOf(sum.shape))) {
    dispatch(backend, addInPlaceProgram, {
      inputs: { addend },
      outputs: { sum },
      params: { size },
      workgroups: elementWorkgroups(size),
      ranges: { sum: range, addend: range },
    });
  }
  return [];
}

/** Replaces logits by their gradient; makes no output. */
export function crossEntropyGradientInPlaceKernel(args: GradientArguments): tf.TensorInfo[] {
  crossEntropyGradientInPlace(args);
  return [];
}
