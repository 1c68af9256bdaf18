import { expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, test, vi } from 'vitest';
import { hasKernel } from '../dispatch/register.js';
import { attention, linear, masks, start } from '../index.js';

// Engines tell by this what they have; TensorFlow.js asks it too, and takes its binary without SIMD.
const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
afterAll(() => validate.mockRestore());

test('an engine without SIMD computes with stock operations, on one thread', async () => {
  for (const { kernelName } of tf.getKernelsForBackend('wasm')) {
    if (kernelName.startsWith('headwise/')) tf.unregisterKernel(kernelName, 'wasm');
  }
  const { backend, threads } = await start({ prefer: 'wasm' });
  expect([backend, threads]).toEqual(['wasm', 1]);
  expect(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')).toBe(false);
  expect(hasKernel('headwise/Linear')).toBe(false);
  const [x, weight] = [gaussian([5, 7], 1), gaussian([7, 3], 2) as tf.Tensor2D];
  await expectClose(linear(x, weight), tf.matMul(x, weight));
  const q = gaussian([1, 2, 5, 4], 3);
  expect(attention(q, q, q, { mask: masks.causal }).shape).toEqual([1, 2, 5, 4]);
});
