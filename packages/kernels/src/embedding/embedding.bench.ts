import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { gatherRows } from './index.js';

function contestants(rows: number, count: number, width: number, training: boolean) {
  const table = gaussian([count, width], 1);
  const ids = tf.tensor1d(
    Int32Array.from({ length: rows }, (_, i) => (i * 7919) % count),
    'int32',
  );
  const dy = gaussian([rows, width], 2);
  const run = (f: (table: tf.Tensor2D) => tf.Tensor) =>
    training
      ? () => tf.grad((x: tf.Tensor) => f(x as tf.Tensor2D))(table, dy)
      : () => f(table as tf.Tensor2D);
  return {
    ours: run((table) => gatherRows(table, ids)),
    peers: { stock: run((table) => tf.gather(table, ids)) },
    dispose: () => tf.dispose([table, ids, dy]),
  };
}

export const workloads: Workload[] = [
  [1, 3, 1],
  [512, 1024, 128],
  [512, 8192, 768],
  [2048, 50_257, 64],
].flatMap(([rows, count, width]) =>
  [false, true].map((training) => ({
    name: `embedding/${training ? 'training' : 'forward'}/N${rows}V${count}D${width}`,
    // The wasm backend has no gradient of gather.
    backends: ['webgpu'] as const,
    prepare: () => contestants(rows!, count!, width!, training),
  })),
);
