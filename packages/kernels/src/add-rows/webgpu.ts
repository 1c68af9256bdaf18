import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram } from '../dispatch/program.js';

/** A lane adds one value of the table to each sequence: none divides to find its place. */
const addRowsProgram = defineProgram({
  label: 'headwise/AddRows',
  inputs: { x: 'f32', table: 'f32' },
  outputs: { y: 'f32' },
  // `size`: values of a sequence; `start`: the first value of the table.
  params: { size: 'u32', start: 'u32', batch: 'u32' },
  wgsl: perElement(/* wgsl */ `
    let added = table[params.start + i];
    for (var b = 0u; b < params.batch; b++) {
      let at = b * params.size + i;
      y[at] = x[at] + added;
    }
  `),
});

/** A lane sums one value of the table over sequences, in their order. */
const gradientProgram = defineProgram({
  label: 'headwise/AddRowsGradient',
  inputs: { dy: 'f32' },
  outputs: { d_table: 'f32' },
  params: { size: 'u32', sequence: 'u32', start: 'u32', batch: 'u32' },
  wgsl: perElement(/* wgsl */ `
    var sum = 0.0;
    if (i >= params.start && i - params.start < params.sequence) {
      for (var b = 0u; b < params.batch; b++) { sum += dy[b * params.sequence + i - params.start]; }
    }
    d_table[i] = sum;
  `),
});

interface Arguments<N extends string> {
  inputs: Record<N, tf.TensorInfo>;
  backend: WebGPUBackend;
  /** The first row that is added, and the rows of the table. */
  attrs: { first: number; count: number };
}

/** @returns y `[B, T, D]` */
export function addRowsKernel({
  inputs,
  backend,
  attrs,
}: Arguments<'x' | 'table'>): tf.TensorInfo[] {
  const { shape } = inputs.x;
  const [batch, tokens, width] = shape as [number, number, number];
  const size = tokens * width;
  const { y } = dispatch(backend, addRowsProgram, {
    inputs,
    outputs: { y: { shape, dtype: 'float32' } },
    params: { size, start: attrs.first * width, batch },
    workgroups: elementWorkgroups(size),
  });
  return [y];
}

/** @returns the gradient of the table, `[N, D]` */
export function addRowsGradientKernel({
  inputs,
  backend,
  attrs,
}: Arguments<'dy'>): tf.TensorInfo[] {
  const [batch, tokens, width] = inputs.dy.shape as [number, number, number];
  const shape = [attrs.count, width];
  const size = sizeOf(shape);
  const { d_table: gradient } = dispatch(backend, gradientProgram, {
    inputs,
    outputs: { d_table: { shape, dtype: 'float32' } },
    params: { size, sequence: tokens * width, start: attrs.first * width, batch },
    workgroups: elementWorkgroups(size),
  });
  return [gradient];
}
