import { expectClose, gaussian, inBrowser, outputAndGradients } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attentionReference } from '../attention/reference.js';
import { attention, linear, masks, start } from '../index.js';

// In Chromium too, where WebAssembly has other memories, workers and limits than in Node.
const home = tf.getBackend();
beforeAll(async () => {
  const wasmPaths = {
    'tfjs-backend-wasm.wasm': plain,
    'tfjs-backend-wasm-simd.wasm': simd,
    'tfjs-backend-wasm-threaded-simd.wasm': threaded,
  };
  await start({ prefer: 'wasm', ...(inBrowser ? { wasmPaths } : {}) });
});
afterAll(async () => {
  await tf.setBackend(home);
});

test('kernels of WebAssembly run, and give what plain operations do', async () => {
  const [x, weight] = [gaussian([150, 65], 1), gaussian([65, 33], 2) as tf.Tensor2D];
  await expectClose(linear(x, weight), tf.matMul(x, weight), { ratio: 1e-6 });
  const inputs = [1, 2, 3].map((seed) => gaussian([1, 2, 70, 20], seed));
  const fused = (...[q, k, v]: tf.Tensor[]) => attention(q!, k!, v!, { mask: masks.causal });
  const expected = outputAndGradients(
    (q, k, v) => attentionReference(q!, k!, v!, { mask: masks.causal, scale: 1 / Math.sqrt(20) }),
    inputs,
  );
  const actual = outputAndGradients(fused, inputs);
  await expectClose(actual.output, expected.output, { ratio: 1e-5 });
  for (const [i, gradient] of actual.gradients.entries()) {
    await expectClose(gradient, expected.gradients[i]!, { ratio: 1e-5, floor: 1e-6 });
  }
  const { kernelNames } = await tf.profile(() => fused(...inputs));
  expect(kernelNames).toContain('headwise/Attention');
});
