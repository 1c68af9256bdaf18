import { cases, expectClose, gaussian, poisonMemory, productOnCpu } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { describe, expect, test, vi } from 'vitest';
import { subgroupLanes } from '../dispatch/row-group.js';
import { linear } from '../linear/index.js';
import { packedLinear } from '../packed-linear/index.js';
import { packWeight } from '../packed-linear/pack.js';
import type { ProductForm } from './form.js';
import { type MatrixOperations, type MatrixUnits, matrixUnitTiling } from './matrix-units.js';
import { multiplyRight } from './matrix-units-check.js';
import { matrixProduct } from './product.js';
import { useMatrixUnits } from './tiling.js';

const backend = () => tf.backend() as WebGPUBackend;

/**
 * The operations in plain WGSL: an operand is where it lies in memory, a sum is spread over the lanes.
 *
 * Bounds of loops that depend on `params` keep the driver from unrolling all of it.
 */
const emulated = (load = (value: string) => value): MatrixOperations => ({
  name: `emulated ${load('x')}`,
  enable: ['subgroups'],
  wgsl: ({ M, N, K, lanes }, strides) => /* wgsl */ `
    struct Left { start: u32 }
    struct Right { start: u32 }
    struct Sum { values: array<f32, ${Math.ceil((M * N) / lanes)}> }
    fn load_left(start: u32) -> Left { return Left(start); }
    fn load_right(start: u32) -> Right { return Right(start); }
    fn unless_empty(count: u32) -> u32 { return select(count, 0u, params.rows == 0u); }
    fn multiply_add(left: Left, right: Right, sum: Sum) -> Sum {
      var result = sum;
      let lane = subgroupExclusiveAdd(1u);
      let end = unless_empty(${M * N}u);
      let depth = unless_empty(${K}u);
      for (var i = lane; i < end; i += ${lanes}u) {
        for (var k = 0u; k < depth; k++) {
          let l = tile[left.start + i / ${N}u * ${strides.left}u + k];
          let r = tile[right.start + k * ${strides.right}u + i % ${N}u];
          result.values[i / ${lanes}u] += ${load('l')} * r;
        }
      }
      return result;
    }
    fn store_sum_matrix(start: u32, sum: Sum) {
      let lane = subgroupExclusiveAdd(1u);
      for (var i = lane; i < unless_empty(${M * N}u); i += ${lanes}u) {
        tile[start + i / ${N}u * ${strides.sum}u + i % ${N}u] = sum.values[i / ${lanes}u];
      }
    }
  `,
});

const unitsOf = (shape: Pick<MatrixUnits, 'M' | 'N' | 'K'>, operations = emulated()) => ({
  ...shape,
  lanes: subgroupLanes(backend())!,
  operations,
});

const sizes = [1, 7, 63, 64, 65, 130];
const shapes = [
  { M: 8, N: 8, K: 8 },
  { M: 8, N: 16, K: 4 },
];

for (const shape of shapes) {
  describe(`matrices of ${shape.M} × ${shape.K} and ${shape.K} × ${shape.N}`, () => {
    for (const [i, m] of sizes.entries()) {
      test(`multiply ${m} rows in every orientation`, async (context) => {
        if (!subgroupLanes(backend())) context.skip('the adapter has no subgroups of one size');
        const tilingOf = (form: ProductForm) => matrixUnitTiling(unitsOf(shape), form);
        for (const [j, n] of sizes.entries()) {
          // Every pair of sizes meets once.
          const k = sizes[(i + j) % sizes.length]!;
          const a = gaussian([m, k], 1) as tf.Tensor2D;
          const b = gaussian([k, n], 2) as tf.Tensor2D;
          const expected = await productOnCpu(a, b);
          for (const transposedA of [false, true]) {
            for (const transposedB of [false, true]) {
              await poisonMemory([[m, n], [n]]);
              const [c, sums] = matrixProduct(
                backend(),
                { tensor: transposedA ? a.transpose() : a, transposed: transposedA },
                { tensor: transposedB ? b.transpose() : b, transposed: transposedB },
                { columnSums: transposedA, tilingOf },
              ).map((info) => tf.engine().makeTensorFromTensorInfo(info));
              await expectClose(c!, expected);
              if (transposedA) await expectClose(sums!, b.sum(0));
            }
          }
        }
      });
    }
  });
}

/** Units that round what they multiply, and some that no driver takes. */
const wrong: Record<string, MatrixOperations> = {
  halves: emulated((value) => `quantizeToF16(${value})`),
  tensorFloats: emulated((value) => `bitcast<f32>(bitcast<u32>(${value}) & 0xffffe000u)`),
  broken: { ...emulated(), name: 'broken', wgsl: () => 'no WGSL' },
};
const wrongOnes = cases(Object.keys(wrong), (name) => name !== 'tensorFloats');

test('units that multiply right pass the check, and those that round do not', async (context) => {
  if (!subgroupLanes(backend())) context.skip('the adapter has no subgroups of one size');
  const [shape] = shapes;
  expect(await multiplyRight(backend(), unitsOf(shape!))).toBe(true);
  for (const name of wrongOnes) {
    expect(await multiplyRight(backend(), unitsOf(shape!, wrong[name])), name).toBe(false);
  }
});

test('linear maps, their gradients and packed weights are the same with them', async (context) => {
  if (!subgroupLanes(backend())) context.skip('the adapter has no subgroups of one size');
  const x = gaussian([37, 45], 1);
  const weight = gaussian([45, 34], 2) as tf.Tensor2D;
  const bias = gaussian([34], 3) as tf.Tensor1D;
  const packed = packWeight((await weight.data()) as Float32Array, [45, 34], 'int4');
  const run = (): tf.Tensor[] => {
    const mapped = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) =>
      linear(x, weight as tf.Tensor2D, bias as tf.Tensor1D, 'in-out', 'gelu');
    const gradients = tf.grads(mapped)([x, weight, bias]);
    return [mapped(x, weight, bias), ...gradients, packedLinear(x, packed, bias)];
  };
  const expected = run();
  const { device } = backend();
  // A name of its own: its programs are compiled here.
  const operations = { ...emulated(), name: 'emulated in maps' };
  const compiled = vi.spyOn(device, 'createShaderModule');
  useMatrixUnits(device, unitsOf(shapes[0]!, operations));
  try {
    for (const [i, result] of run().entries()) await expectClose(result, expected[i]!);
    const withUnits = compiled.mock.calls.filter(([{ code }]) => code.includes('multiply_add'));
    expect(new Set(withUnits.map(([{ label }]) => label))).toEqual(
      new Set(['headwise/Linear', 'headwise/MatrixProduct', 'headwise/PackedLinear']),
    );
  } finally {
    useMatrixUnits(device, undefined);
    compiled.mockRestore();
  }
});
