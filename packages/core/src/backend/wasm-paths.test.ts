import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, test } from 'vitest';
import { startBackend, wasmFiles } from './start.js';

const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));

afterAll(() => tf.setBackend('cpu'));

test('wasmPaths must name every file, and no other', async () => {
  const expected = `; expected a folder, or the addresses of ${wasmFiles.join(', ')}`;
  await expect(
    startBackend({ prefer: 'wasm', wasmPaths: { 'tfjs-backend-wasm.wasm': 'a.wasm' } }),
  ).rejects.toThrow(`wasmPaths names tfjs-backend-wasm.wasm${expected}`);
  await expect(startBackend({ prefer: 'wasm', wasmPaths: {} })).rejects.toThrow(
    `wasmPaths names no file${expected}`,
  );
});

test('wasmPaths may be the address of each file, as a bundler hashes them', async () => {
  const wasmPaths = Object.fromEntries(wasmFiles.map((name) => [name, `${folder}/${name}`]));
  expect((await startBackend({ prefer: 'wasm', wasmPaths })).backend).toBe('wasm');
  expect([...tf.tensor1d([1, 2]).square().dataSync()]).toEqual([1, 4]);
});
