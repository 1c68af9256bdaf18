import { keyOf, sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import { addressOf, output, type WasmBackend } from '../wasm/heap.js';
import { launch } from '../wasm/module.js';
import { thresholdOf } from './reference.js';

/** Values of a chunk. */
const valuesOfChunk = 2 ** 13;

/** @returns x with the seed's places dropped */
export function dropoutWasmKernel({
  inputs: { x },
  backend,
  attrs: { rate, seed },
}: {
  inputs: { x: tf.TensorInfo };
  backend: WasmBackend;
  attrs: { rate: number; seed: number };
}): tf.TensorInfo[] {
  const y = output(backend, x.shape);
  const size = sizeOf(x.shape);
  const given = [addressOf(backend, x), addressOf(backend, y), size, ...keyOf(seed)];
  launch(
    backend,
    'DROPOUT',
    Math.ceil(size / valuesOfChunk),
    [...given, thresholdOf(rate)],
    [1 / (1 - rate)],
  );
  return [y];
}
