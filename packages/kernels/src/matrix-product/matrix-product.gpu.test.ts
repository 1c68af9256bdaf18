import { expectClose, gaussian, poisonMemory, productOnCpu } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { describe, expect, test } from 'vitest';
import { subgroupLanes } from '../dispatch/row-group.js';
import { dotRowTiling, shuffleRowTiling, sliceRowTiling } from './few-rows.js';
import type { ProductForm, Tiling } from './form.js';
import { outerTiling } from './outer.js';
import { matrixProduct } from './product.js';
import { registerTiling } from './registers.js';
import { sharedTiling } from './shared.js';
import { shuffleTiling } from './shuffle.js';

const backend = () => tf.backend() as WebGPUBackend;

const tilings: Record<string, (form: ProductForm) => Tiling> = {
  shared: sharedTiling,
  registers: registerTiling,
  shuffle: (form) => shuffleTiling(subgroupLanes(backend())!, form),
  outer: (form) => outerTiling(subgroupLanes(backend())!, form, { a: 'lines', b: 'lines' }),
};

type FewRows = (rows: number, form: ProductForm, contiguous: 'inner' | 'columns') => Tiling;

const dots =
  (lanes: number): FewRows =>
  (rows, form, contiguous) =>
    dotRowTiling(lanes, rows, { ...form, wide: form.wide === true && contiguous === 'inner' });

const fewRowTilings: Record<string, FewRows> = {
  'slices of rows': sliceRowTiling,
  'dots of 64 lanes': dots(64),
  'dots of 8 lanes': dots(8),
  'shuffled rows': (rows, form, contiguous) => {
    const byFours = form.wide && contiguous === 'inner';
    const given = byFours ? { ...form, pack: 4, wide: false } : form;
    return shuffleRowTiling(subgroupLanes(backend())!, rows, given);
  },
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
        if (['shuffle', 'outer'].includes(name) && !subgroupLanes(backend())) context.skip();
        const a = gaussian([m, k], 1) as tf.Tensor2D;
        const b = gaussian([k, n], 2) as tf.Tensor2D;
        const expected = await productOnCpu(a, b);
        for (const [transposedA, transposedB] of [
          [false, false],
          [true, false],
          [false, true],
          [true, true],
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
      [2, 36, 40],
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
          { tilingOf: (form, contiguous) => tilingOf(m, form, contiguous) },
        ).map((info) => tf.engine().makeTensorFromTensorInfo(info));
        await expectClose(c!, expected);
      }
    }
  });
}
