import { checkShape } from '@headwise/core';
import { sizeOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { checkType } from '../dispatch/check.js';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram } from '../dispatch/program.js';
import { registerWebGPUKernel, runKernel } from '../dispatch/register.js';

/** The number of words that hold a row of halves. */
export const wordsOf = (width: number): number => Math.ceil(width / 2);

const unpackProgram = defineProgram({
  label: 'headwise/UnpackHalves',
  inputs: { words: 'u32' },
  outputs: { y: 'f32' },
  params: { size: 'u32', width: 'u32', rows: 'u32', stored: 'u32' },
  wgsl: perElement(/* wgsl */ `
      let column = i % params.width;
      let row = i / params.width;
      let place = row / params.rows * params.stored + row % params.rows;
      let word = place * ((params.width + 1u) / 2u) + column / 2u;
      y[i] = unpack2x16float(words[word])[column % 2u];
      `),
});

interface KernelArguments {
  inputs: { words: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { width: number; rows: number };
}

function unpackKernel({ inputs, backend, attrs }: KernelArguments): tf.TensorInfo {
  const { width, rows } = attrs;
  const shape = [...inputs.words.shape.slice(0, -2), rows, width];
  const size = sizeOf(shape);
  const { y } = dispatch(backend, unpackProgram, {
    inputs,
    outputs: { y: { shape, dtype: 'float32' } },
    params: { size, width, rows, stored: inputs.words.shape.at(-2)! },
    workgroups: elementWorkgroups(size),
  });
  return y;
}

/**
 * Rows of halves, two in a word, as float32. On WebGPU and wasm only.
 *
 * @param words `[…, C, ⌈width / 2⌉]`, int32; the first of two lies in the lower bits
 * @param rows the first of the `C` rows to unpack; default all
 * @returns `[…, rows, width]`
 */
export function unpackHalves(
  words: tf.Tensor,
  width: number,
  rows: number = words.shape.at(-2)!,
): tf.Tensor {
  checkShape('unpackHalves: words', [words.shape.at(-1)!], [wordsOf(width)]);
  checkType('unpackHalves: words', words, 'int32');
  if (words.size === 0 || rows === 0) return tf.zeros([...words.shape.slice(0, -2), rows, width]);
  return runKernel('headwise/UnpackHalves', { words }, { width, rows }) as unknown as tf.Tensor;
}

/** Makes `unpackHalves` work. */
export function registerUnpackHalves(): void {
  registerWebGPUKernel('headwise/UnpackHalves', unpackKernel);
}
