import { expectClose, gaussian, poisonMemory, productOnCpu } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { describe, expect, test } from 'vitest';
import { subgroupLanes } from '../dispatch/row-group.js';
import { dotRowTiling, shuffleRowTiling, sliceRowTiling } from './few-rows.js';
import type { ProductForm, Tiling } from './form.js';
import { matrixProduct } from './product.js';
import { registerTiling } from './registers.js';
import { sharedTiling } from './shared.js';
import { shuffleTiling } from './shuffle.js';

const backend = () => tf.backend() as WebGPUBackend;

const tilings: Record<string, (form: ProductForm) => Tiling> = {
  shared: sharedTiling,
  registers: registerTiling,
  shuffle: (form) => shuffleTiling(subgroupLanes(backend())!, form),
};

const fewRowTilings: Record<string, (rows: number) => (form: ProductForm) => Tiling> = {
  'slices of rows': (rows) => (form) => sliceRowTiling(rows, form),
  'dots of 64 lanes': (rows) => (form) => dotRowTiling(64, rows, form),
  'dots of 8 lanes': (rows) => (form) => dotRowTiling(8, rows, form),
  'shuffled rows': (rows) => (form) => shuffleRowTiling(subgroupLanes(backend())!, rows, form),
};

/** Rows, inner size and columns: less than a tile, a tile and more, and every remainder. */
const sizes = [
  [1, 1, 1],
  [3, 1, 65],
  [63, 17, 3],
  [65, 64, 127],
  [513, 16, 33],
] as const;

for (const [name, tilingOf] of Object.entries(tilings)) {
  describe(`the tiling '${name}'`, () => {
    for (const [m, k, n] of sizes) {
      test(`multiplies [${m}, ${k}] and [${k}, ${n}] in every orientation`, async (context) => {
        if (name === 'shuffle' && !subgroupLanes(backend())) context.skip();
        const a = gaussian([m, k], 1) as tf.Tensor2D;
        const b = gaussian([k, n], 2) as tf.Tensor2D;
        const expected = await productOnCpu(a, b);
        for (const [transposedA, transposedB] of [
          [false, false],
          [true, false],
          [false, true],
        ] as const) {
          await poisonMemory([[m, n], [n]]);
          const [c, sums] = matrixProduct(
            backend(),
            { tensor: transposedA ? a.transpose() : a, transposed: transposedA },
            { tensor: transposedB ? b.transpose() : b, transposed: transposedB },
            { columnSums: true, transposed: transposedA, tilingOf },
          ).map((info) => tf.engine().makeTensorFromTensorInfo(info));
          expect(c!.shape).toEqual(transposedA ? [n, m] : [m, n]);
          await expectClose(transposedA ? c!.transpose() : c!, expected);
          await expectClose(sums!, b.sum(0));
        }
      });
    }
  });
}

for (const [name, tilingOf] of Object.entries(fewRowTilings)) {
  test(`the tiling '${name}' multiplies one to eight rows`, async (context) => {
    if (name === 'shuffled rows' && !subgroupLanes(backend())) context.skip();
    for (const [m, k, n] of [
      [1, 1, 1],
      [1, 513, 65],
      [3, 7, 127],
      [8, 31, 70],
    ] as const) {
      const a = gaussian([m, k], 1) as tf.Tensor2D;
      const b = gaussian([k, n], 2) as tf.Tensor2D;
      const expected = await productOnCpu(a, b);
      for (const transposed of [false, true]) {
        await poisonMemory([[m, n]]);
        const [c] = matrixProduct(
          backend(),
          { tensor: a },
          { tensor: transposed ? b.transpose() : b, transposed },
          { tilingOf: tilingOf(m) },
        ).map((info) => tf.engine().makeTensorFromTensorInfo(info));
        await expectClose(c!, expected);
      }
    }
  });
}
