import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import { addressOf, output, type WasmBackend } from '../wasm/heap.js';
import { launch } from '../wasm/module.js';

/** Rows of a chunk of the forward, and columns of a chunk of the gradient. */
const [rowsOfChunk, columnsOfChunk] = [64, 32];

/** @returns the rows, `[N, D]`; ids are in range, as those of this backend are checked before */
export function gatherRowsWasmKernel({
  inputs: { table, ids },
  backend,
}: {
  inputs: { table: tf.TensorInfo; ids: tf.TensorInfo };
  backend: WasmBackend;
}): tf.TensorInfo[] {
  const [rows, width] = [ids.shape[0]!, table.shape[1]!];
  const y = output(backend, [rows, width]);
  const given = [table, ids, y].map((tensor) => addressOf(backend, tensor));
  launch(backend, 'GATHER_ROWS', Math.ceil(rows / rowsOfChunk), [...given, rows, width]);
  return [y];
}

/** @returns dTable, whose rows are added up in the order of the ids */
export function gatherRowsGradientWasmKernel({
  inputs: { dy, ids },
  backend,
  attrs: { count },
}: {
  inputs: { dy: tf.TensorInfo; ids: tf.TensorInfo };
  backend: WasmBackend;
  attrs: { count: number };
}): tf.TensorInfo[] {
  const [rows, width] = dy.shape as [number, number];
  const dTable = output(backend, [count, width]);
  const at = addressOf(backend, dTable);
  backend.wasm.HEAPU8.fill(0, at, at + 4 * sizeOf(dTable.shape));
  const given = [dy, ids].map((tensor) => addressOf(backend, tensor));
  const chunks = Math.ceil(width / columnsOfChunk);
  launch(backend, 'SCATTER_ROWS', chunks, [...given, at, rows, width]);
  return [dTable];
}
