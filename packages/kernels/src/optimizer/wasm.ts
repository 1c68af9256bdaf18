import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import { addressOf, output, type WasmBackend } from '../wasm/heap.js';
import { launch } from '../wasm/module.js';

/** Values of a chunk. */
const valuesOfChunk = 2 ** 14;

interface Arguments {
  inputs: Record<'value' | 'gradient' | 'm' | 'v', tf.TensorInfo> &
    Partial<Record<'scale', tf.TensorInfo>>;
  backend: WasmBackend;
  /** The numbers of a step of `adamwRule`, and the parameter's own. */
  attrs: { numbers: Record<string, number>; rate: number; decay: number };
}

/** @returns the new value, m and v: others may hold the old ones */
export function adamwWasmKernel({
  inputs: { value, gradient, scale, m, v },
  backend,
  attrs: { numbers, rate, decay },
}: Arguments): tf.TensorInfo[] {
  const made = [value, m, v].map(({ shape }) => output(backend, shape));
  const size = sizeOf(value.shape);
  const at = (tensor: tf.TensorInfo | undefined) => (tensor ? addressOf(backend, tensor) : 0);
  const given = [value, gradient, scale, m, v, ...made].map(at);
  const { beta1, beta2, rest1, rest2, epsilon, learningRate, stepSize, rootScale } = numbers;
  const kept = 1 - learningRate! * rate * decay;
  launch(
    backend,
    'ADAMW',
    Math.ceil(size / valuesOfChunk),
    [...given, size],
    [beta1!, beta2!, rest1!, rest2!, epsilon!, kept, rate * stepSize!, rootScale!],
  );
  return made;
}
