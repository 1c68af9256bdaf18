import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import { addressOf, output, type WasmBackend } from '../wasm/heap.js';
import { launch } from '../wasm/module.js';

/** Values of a chunk. */
const valuesOfChunk = 2 ** 12;

interface Arguments<N extends string> {
  inputs: Record<N, tf.TensorInfo>;
  backend: WasmBackend;
  /** The first row that is added, and the rows of the table. */
  attrs: { first: number; count: number };
}

/** @returns y `[B, T, D]` */
export function addRowsWasmKernel({
  inputs: { x, table },
  backend,
  attrs: { first },
}: Arguments<'x' | 'table'>): tf.TensorInfo[] {
  const [batch, tokens, width] = x.shape as [number, number, number];
  const y = output(backend, x.shape);
  const rows = addressOf(backend, table) + 4 * first * width;
  const size = tokens * width;
  const given = [addressOf(backend, x), rows, addressOf(backend, y), size, batch];
  launch(backend, 'ADD_ROWS', Math.ceil(size / valuesOfChunk), given);
  return [y];
}

/** @returns the gradient of the table, `[N, D]`; 0 where no row was added */
export function addRowsGradientWasmKernel({
  inputs: { dy },
  backend,
  attrs: { first, count },
}: Arguments<'dy'>): tf.TensorInfo[] {
  const [batch, tokens, width] = dy.shape as [number, number, number];
  const gradient = output(backend, [count, width]);
  const size = tokens * width;
  const [start, end] = [first * width, first * width + size];
  const at = addressOf(backend, gradient);
  const { HEAPU8 } = backend.wasm;
  HEAPU8.fill(0, at, at + 4 * start);
  HEAPU8.fill(0, at + 4 * end, at + 4 * sizeOf(gradient.shape));
  const given = [addressOf(backend, dy), at + 4 * start, 0, size, batch];
  launch(backend, 'SUM_SEQUENCES', Math.ceil(size / valuesOfChunk), given);
  return [gradient];
}
