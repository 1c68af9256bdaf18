import type * as tf from '@tensorflow/tfjs';
import { addressOf, output, type WasmBackend } from '../wasm/heap.js';
import { launch } from '../wasm/module.js';
import { type RotaryAttributes, rowsOf } from './webgpu.js';

/** Positions of a chunk. */
const positionsOfChunk = 16;

/** @returns x turned by the tables' angles, or back by them */
export function rotaryWasmKernel({
  inputs: { x, cos, sin },
  backend,
  attrs: { layout, sign, heads },
}: {
  inputs: { x: tf.TensorInfo; cos: tf.TensorInfo; sin: tf.TensorInfo };
  backend: WasmBackend;
  attrs: RotaryAttributes;
}): tf.TensorInfo[] {
  const rows = rowsOf(x.shape, heads);
  const y = output(backend, x.shape);
  const pairs = cos.shape.at(-1)!;
  const ownTables = cos.shape.length === 3;
  const given = [x, cos, sin, y].map((tensor) => addressOf(backend, tensor));
  launch(
    backend,
    'ROTARY',
    rows.batch * Math.ceil(rows.length / positionsOfChunk),
    [
      ...[...given, rows.length, rows.heads, rows.first, rows.end, rows.width, pairs],
      ...[layout === 'interleaved' ? 1 : 0, 4 * rows.batchStride, 4 * rows.headStride],
      ...[4 * rows.rowStride, ownTables ? 4 * rows.length * pairs : 0],
    ],
    [sign],
  );
  return [y];
}
