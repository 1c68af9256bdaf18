import { currentDevice, GpuError, readTensor } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { create, globals } from 'webgpu';
import { activations, type LinearActivation } from '../linear/activation.js';
import { linear } from '../linear/index.js';
import { packedLinear } from '../packed-linear/index.js';
import { packWeight } from '../packed-linear/pack.js';
import { start } from '../start/start.js';
import { type MatrixUnits, nativeOperations } from './matrix-units.js';
import { checkMatrixUnits, multiplyRight, offeredMatrixUnits } from './matrix-units-check.js';
import { useMatrixUnits } from './tiling.js';

const feature = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;

describe('what a device offers', () => {
  const device = (configs: object[], features = ['subgroups', feature], most = 32) =>
    ({
      features: new Set(features),
      adapterInfo: { subgroupMinSize: 32, subgroupMaxSize: most, subgroupMatrixConfigs: configs },
    }) as unknown as GPUDevice;
  const shape = { M: 8, N: 8, K: 8 };
  const floats = { componentType: 'f32', resultComponentType: 'f32', ...shape };
  const halves = { componentType: 'f16', resultComponentType: 'f32', ...shape };

  test('matrices of f32 with sums in f32 are used, whatever else there is', () => {
    const used = { ...shape, lanes: 32, operations: nativeOperations };
    expect(offeredMatrixUnits(device([halves, floats]))).toEqual(used);
  });

  test('nothing is used that rounds, that was not asked for, or whose lanes are not known', () => {
    expect(offeredMatrixUnits(device([]))).toBeUndefined();
    expect(offeredMatrixUnits(device([halves]))).toBeUndefined();
    expect(offeredMatrixUnits(device([floats], ['subgroups']))).toBeUndefined();
    expect(offeredMatrixUnits(device([floats], [feature]))).toBeUndefined();
    expect(offeredMatrixUnits(device([floats], ['subgroups', feature], 64))).toBeUndefined();
  });
});

// Dawn's null backend compiles and validates WGSL as for a GPU with the feature, and computes nothing.
describe('on a device that validates only', () => {
  let missing: string | undefined;
  let units: MatrixUnits;
  const backend = () => tf.backend() as WebGPUBackend;

  beforeAll(async () => {
    Object.assign(globalThis, globals);
    const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
    Object.defineProperty(globalThis, 'navigator', {
      value: { gpu, userAgent: 'node' },
      configurable: true,
    });
    const adapter = await gpu.requestAdapter();
    if (!adapter?.features.has(feature)) {
      missing = `Dawn's null backend offers no ${feature}`;
      console.warn(`skipped: ${missing}`);
      return;
    }
    expect((await start({ prefer: 'webgpu' })).matrixUnits).toBe(false);
    // Programs with matrices must fill the largest subgroups of the device.
    const lanes = currentDevice()!.info.subgroupMaxSize;
    units = { M: 8, N: 8, K: 8, lanes, operations: nativeOperations };
  });

  beforeEach((context) => {
    if (missing) context.skip(missing);
  });

  /** Runs every program that a product of many rows may be part of. */
  async function runAll(): Promise<void> {
    const x = tf.ones<tf.Rank.R2>([70, 33]);
    const weight = tf.ones<tf.Rank.R2>([33, 40]);
    const bias = tf.ones<tf.Rank.R1>([40]);
    for (const activation of Object.keys(activations) as LinearActivation[]) {
      await readTensor(linear(x, weight, bias, 'in-out', activation));
    }
    await readTensor(linear(x, tf.ones([40, 33]), undefined, 'out-in'));
    const gradients = tf.grads((x, weight, bias) =>
      linear(x as tf.Tensor2D, weight as tf.Tensor2D, bias as tf.Tensor1D, 'in-out', 'gelu'),
    )([x, weight, bias]);
    for (const gradient of gradients) await readTensor(gradient);
    for (const format of ['f16', 'int8', 'int4'] as const) {
      const packed = packWeight(new Float32Array(33 * 40), [33, 40], format);
      await readTensor(packedLinear(x, packed, bias, 'silu'));
    }
  }

  test('every program compiles', async () => {
    const { device } = backend();
    const create = vi.spyOn(device, 'createShaderModule');
    useMatrixUnits(device, units);
    await runAll();
    const withMatrices = create.mock.calls.filter(([{ code }]) =>
      code.includes('subgroupMatrixMultiplyAccumulate'),
    );
    expect(new Set(withMatrices.map(([{ label }]) => label))).toEqual(
      new Set(['headwise/Linear', 'headwise/MatrixProduct', 'headwise/PackedLinear']),
    );
    for (const { value: module } of create.mock.results) {
      const { messages } = await (module as GPUShaderModule).getCompilationInfo();
      expect(messages.map(({ message }) => message)).toEqual([]);
    }
  });

  test('a text with a mistake does not', async () => {
    const wgsl: typeof nativeOperations.wgsl = (...given) =>
      nativeOperations
        .wgsl(...given)
        .replace('subgroup_matrix_right<f32', 'subgroup_matrix_right<i32');
    useMatrixUnits(backend().device, {
      ...units,
      operations: { ...nativeOperations, name: 'mistaken', wgsl },
    });
    await expect(runAll()).rejects.toThrow(GpuError);
  });

  test('units that compute nothing do not pass the check', async () => {
    expect(await multiplyRight(backend(), units)).toBe(false);
    expect(await checkMatrixUnits()).toBe(false);
  });
});
