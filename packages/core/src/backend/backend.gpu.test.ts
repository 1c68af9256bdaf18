import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { currentDevice, GpuError, readTensor } from '../index.js';
import { startBackend } from './start.js';

test('the report names the adapter, what it offers and its limits', async () => {
  const report = await startBackend({ prefer: 'webgpu' });
  const device = currentDevice()!;
  expect(report.backend).toBe('webgpu');
  expect(report.adapter).not.toBe('');
  expect(report.features).toEqual([...device.gpu.features].sort());
  expect(report.limits.maxBufferSize).toBe(device.gpu.limits.maxBufferSize);
  // Started once: the same device, and its tensors live on.
  expect(currentDevice()).toBe(device);
});

test('every feature that the adapter offers and kernels use is on', async () => {
  const adapter = await navigator.gpu.requestAdapter();
  for (const feature of [
    'shader-f16',
    'subgroups',
    'timestamp-query',
    'chromium-experimental-subgroup-matrix',
  ] as GPUFeatureName[]) {
    expect(currentDevice()!.gpu.features.has(feature), feature).toBe(
      adapter!.features.has(feature),
    );
  }
});

test('a shader that the driver refuses is an error at the next read, not zeros', async () => {
  const { gpu } = currentDevice()!;
  const module = gpu.createShaderModule({ code: 'this is not a shader' });
  gpu.createComputePipeline({ layout: 'auto', compute: { module } });
  const tensor = tf.add(tf.ones([3]), 1);
  await gpu.queue.onSubmittedWorkDone();
  await expect(readTensor(tensor)).rejects.toThrow(GpuError);
  expect([...(await readTensor(tensor))]).toEqual([2, 2, 2]);
});
