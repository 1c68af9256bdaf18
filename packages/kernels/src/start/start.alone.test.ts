import { startBackend } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { create, globals } from 'webgpu';
import { layerNorm } from '../layer-norm/index.js';
import { sampleTokens } from '../sampling/index.js';
import { start } from './start.js';

// Dawn's null backend takes every command and computes nothing: it needs no adapter.
beforeAll(() => {
  Object.assign(globalThis, globals);
  const gpu = create(['backend=null']);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' } });
});
afterEach(() => vi.restoreAllMocks());

const kernelsOf = async () => {
  const x = tf.ones([2, 3]);
  const norm = () => layerNorm(x, tf.ones([3]), tf.zeros([3]));
  return (await tf.profile(norm)).kernelNames;
};

test('WebGPU without kernels warns once and refuses to sample; start registers them', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  await startBackend({ prefer: 'webgpu' });
  expect(await kernelsOf()).not.toContain('headwise/LayerNorm');
  await kernelsOf();
  expect(warn.mock.calls).toEqual([
    [
      "headwise: WebGPU runs without Headwise's kernels, many times slower; expected start() of @headwise/kernels before the first operation",
    ],
  ]);
  expect(() => sampleTokens(tf.ones([1, 3]), {}, 1)).toThrow(
    "sampleTokens: WebGPU runs without Headwise's kernels; expected start() of @headwise/kernels before",
  );
  const { backend, matrixUnits, tilings, threads } = await start({ prefer: 'webgpu' });
  expect({ backend, matrixUnits, tilings, threads }).toEqual({
    backend: 'webgpu',
    matrixUnits: false,
    tilings: {},
    threads: 1,
  });
  expect(await kernelsOf()).toContain('headwise/LayerNorm');
  expect(warn).toHaveBeenCalledTimes(1);
});

test('sizes to tune are checked, and other backends have nothing to tune', async () => {
  const tune = { shapes: [{ batch: 1, heads: 1, queries: 0, keys: 1, headDim: 1 }] };
  await expect(start({ prefer: 'webgpu', tune })).rejects.toThrow(
    'queries is 0; expected at least 1',
  );
  const { backend, tilings } = await start({ prefer: 'cpu', tune });
  expect([backend, tilings]).toEqual(['cpu', {}]);
});
