import * as tf from '@tensorflow/tfjs';
import { expect, test, vi } from 'vitest';
import { startBackend } from './start.js';

// In a process of its own: TensorFlow.js does not try another place once it has failed.
test('wasmPaths without the files is named, and leaves the backend that was in use', async () => {
  const before = tf.getBackend();
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.spyOn(console, 'error').mockImplementation(() => {});
  await expect(startBackend({ prefer: 'wasm', wasmPaths: '/nowhere' })).rejects.toThrow(
    "backend 'wasm' cannot be started: no .wasm file of TensorFlow.js at wasmPaths '/nowhere'; expected the folder of tfjs-backend-wasm.wasm,",
  );
  expect(tf.getBackend()).toBe(before);
});
