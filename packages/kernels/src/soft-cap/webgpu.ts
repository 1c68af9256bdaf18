import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { boundParts, elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram } from '../dispatch/program.js';

// Beyond ±15 tanh is ±1 in float32; some drivers overflow there.
const bounded = 'tanh(clamp(x[i] / params.cap, -15.0, 15.0))';

const program = defineProgram({
  label: 'headwise/SoftCap',
  inputs: { x: 'f32' },
  outputs: { y: 'f32' },
  params: { size: 'u32', cap: 'f32' },
  wgsl: perElement(/* wgsl */ `y[i] = params.cap * ${bounded};`),
});

const gradientProgram = defineProgram({
  label: 'headwise/SoftCapGradient',
  inputs: { dy: 'f32', x: 'f32' },
  outputs: { dx: 'f32' },
  params: { size: 'u32', cap: 'f32' },
  wgsl: perElement(/* wgsl */ `
    let t = ${bounded};
    dx[i] = dy[i] * (1.0 - t * t);
  `),
});

interface Arguments<N extends string> {
  inputs: Record<N, tf.TensorInfo>;
  backend: WebGPUBackend;
  attrs: { cap: number };
}

/** @returns y */
export function softCapKernel({ inputs, backend, attrs }: Arguments<'x'>): tf.TensorInfo[] {
  const y = backend.makeTensorInfo(inputs.x.shape, 'float32');
  for (const { size, range } of boundParts(backend, sizeOf(y.shape))) {
    dispatch(backend, program, {
      inputs,
      outputs: { y },
      params: { size, cap: attrs.cap },
      workgroups: elementWorkgroups(size),
      ranges: { x: range, y: range },
    });
  }
  return [y];
}

/** @returns dx */
export function softCapGradientKernel({
  inputs,
  backend,
  attrs,
}: Arguments<'dy' | 'x'>): tf.TensorInfo[] {
  const dx = backend.makeTensorInfo(inputs.x.shape, 'float32');
  for (const { size, range } of boundParts(backend, sizeOf(dx.shape))) {
    dispatch(backend, gradientProgram, {
      inputs,
      outputs: { dx },
      params: { size, cap: attrs.cap },
      workgroups: elementWorkgroups(size),
      ranges: { dy: range, x: range, dx: range },
    });
  }
  return [dx];
}
