import type * as tf from '@tensorflow/tfjs';
import { rowsOf } from '../dispatch/row-group.js';
import { addressOf, output, type WasmBackend } from '../wasm/heap.js';
import { launchRows } from '../wasm/rows.js';

/** @returns y */
export function softmaxWasmKernel({
  inputs: { x },
  backend,
}: {
  inputs: { x: tf.TensorInfo };
  backend: WasmBackend;
}): tf.TensorInfo[] {
  const y = output(backend, x.shape);
  run(backend, 'SOFTMAX', [x, y]);
  return [y];
}

/** @returns dx */
export function softmaxGradientWasmKernel({
  inputs: { dy, y },
  backend,
}: {
  inputs: { dy: tf.TensorInfo; y: tf.TensorInfo };
  backend: WasmBackend;
}): tf.TensorInfo[] {
  const dx = output(backend, y.shape);
  run(backend, 'SOFTMAX_GRADIENT', [dy, y, dx]);
  return [dx];
}

function run(
  backend: WasmBackend,
  name: 'SOFTMAX' | 'SOFTMAX_GRADIENT',
  tensors: readonly tf.TensorInfo[],
): void {
  const { rows, width } = rowsOf(tensors[0]!.shape);
  const given = Array.from({ length: 7 }, (_, i) =>
    tensors[i] ? addressOf(backend, tensors[i]) : 0,
  );
  launchRows(backend, name, [...given, rows, width]);
}
