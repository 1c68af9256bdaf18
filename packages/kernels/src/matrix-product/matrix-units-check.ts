import { readTensor } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { compilePipelines } from '../dispatch/pipelines.js';
import { subgroupLanes } from '../dispatch/row-group.js';
import type { ProductForm } from './form.js';
import { type MatrixUnits, matrixUnitTiling, nativeOperations } from './matrix-units.js';
import { matrixProduct } from './product.js';
import { useMatrixUnits } from './tiling.js';

/** What Dawn's experimental feature adds to the adapter's information. */
interface MatrixAdapterInfo {
  subgroupMatrixConfigs?:
    | Iterable<{
        componentType: string;
        resultComponentType: string;
        M: number;
        N: number;
        K: number;
      }>
    | undefined;
}

/**
 * Lets products of many rows use the GPU's matrix units, if it has some for f32 and they are shown to multiply right.
 *
 * It needs the feature `chromium-experimental-subgroup-matrix`, which `start` asks for where the
 * adapter offers it; elsewhere it does nothing.
 *
 * @returns whether they are in use from now on
 * @throws GpuError where the driver refused work before, DeviceLostError where the device is lost
 */
export async function checkMatrixUnits(): Promise<boolean> {
  if (tf.getBackend() !== 'webgpu') return false;
  const backend = tf.backend() as WebGPUBackend;
  const units = offeredMatrixUnits(backend.device);
  if (!units || !(await multiplyRight(backend, units))) return false;
  useMatrixUnits(backend.device, units);
  return true;
}

/** The device's matrix units whose operands and sums are f32: halves would round what they are given. */
export function offeredMatrixUnits(
  device: Pick<GPUDevice, 'features' | 'adapterInfo'>,
): MatrixUnits | undefined {
  const lanes = subgroupLanes({ device });
  const feature = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;
  if (lanes === undefined || !device.features.has(feature)) return undefined;
  const { subgroupMatrixConfigs = [] } = device.adapterInfo as MatrixAdapterInfo;
  for (const { componentType, resultComponentType, M, N, K } of subgroupMatrixConfigs) {
    if (componentType === 'f32' && resultComponentType === 'f32') {
      return { M, N, K, lanes, operations: nativeOperations };
    }
  }
  return undefined;
}

/** Sizes that leave a remainder of every tile. */
const [rows, inner, columns] = [67, 41, 70];

/** Whether two products, one of which has the precise operand left and one right, are exact. */
export async function multiplyRight(backend: WebGPUBackend, units: MatrixUnits): Promise<boolean> {
  // A sum stays below 2²⁴, so that f32 is exact in any order.
  const wide = integers(rows * inner, 2 ** 13, 1);
  const narrow = integers(inner * columns, 2 ** 4, 2);
  const left = tf.tensor2d(wide, [rows, inner]);
  const right = tf.tensor2d(narrow, [inner, columns]);
  const run = (): tf.Tensor[] => {
    const tilingOf = (form: ProductForm) => matrixUnitTiling(units, form);
    // While pipelines are compiled ahead, another than the backend that is checked.
    const current = tf.backend() as WebGPUBackend;
    const product = matrixProduct(
      current,
      { tensor: left },
      { tensor: right },
      { tilingOf, columnSums: true },
    );
    const transposed = matrixProduct(
      current,
      { tensor: right, transposed: true },
      { tensor: left, transposed: true },
      { tilingOf, transposed: true },
    );
    return [...product, ...transposed].map((info) => tf.engine().makeTensorFromTensorInfo(info));
  };
  const results: tf.Tensor[] = [];
  try {
    if (!(await compiles(backend.device, run))) return false;
    results.push(...run());
    const values = await Promise.all(results.map((tensor) => readTensor(tensor)));
    const product = exactProduct(wide, narrow);
    const sums = Float32Array.from({ length: columns }, (_, c) => {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += narrow[k * columns + c]!;
      return sum;
    });
    return [product, sums, product].every((expected, i) =>
      expected.every((value, j) => values[i]![j] === value),
    );
  } finally {
    tf.dispose([left, right, results]);
  }
}

/** Whether the driver takes the pipelines; what it says against them is nobody else's error. */
async function compiles(device: GPUDevice, step: () => tf.Tensor[]): Promise<boolean> {
  device.pushErrorScope('validation');
  const compiled = compilePipelines(step).then(
    () => true,
    () => false,
  );
  const error = device.popErrorScope();
  return (await compiled) && (await error) === null;
}

function exactProduct(wide: Float32Array, narrow: Float32Array): Float32Array {
  const product = new Float32Array(rows * columns);
  for (let i = 0; i < product.length; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    for (let k = 0; k < inner; k++) {
      product[i]! += wide[row * inner + k]! * narrow[k * columns + column]!;
    }
  }
  return product;
}

/** Integers of both signs below a bound, by a linear congruence. */
function integers(length: number, bound: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return ((state >>> 8) % (2 * bound - 1)) - bound + 1;
  });
}
