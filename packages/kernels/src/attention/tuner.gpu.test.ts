import { expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { afterEach, expect, test } from 'vitest';
import { attention } from './index.js';
import { none } from './masks/mask.js';
import { attentionReference } from './reference.js';
import { choicesOf, tilingFor, tilingsOf } from './tilings.js';
import { tuneAttention } from './tuner.js';

const backend = tf.backend() as WebGPUBackend;
const forget = () => {
  const choices = choicesOf(backend);
  for (const key of Object.keys(choices)) delete choices[key];
};
afterEach(forget);

const shape = { batch: 1, heads: 2, queries: 64, keys: 64, headDim: 64 };

test('each pass of a shape is measured once, and remembered', async () => {
  const before = tf.memory().numTensors;
  const choices = await tuneAttention([shape]);
  expect(tf.memory().numTensors).toBe(before);
  const class64 = 'Tq64Tk64Dh64';
  expect(Object.keys(choices).sort()).toEqual(
    ['forward', 'keyGradient', 'queryGradient'].map((pass) => `${pass}/${class64}`),
  );
  const known = tilingsOf(backend, { key: 64, value: 64 }).map(({ key }) => key);
  for (const key of Object.values(choices)) expect(known).toContain(key);
  // Tq 50 is of the same class, so that nothing is left to measure.
  expect(await tuneAttention([{ ...shape, queries: 50 }])).toEqual(choices);
});

test('a choice of an earlier start is used, and unknown tilings in it are not', async () => {
  const sizes = { ...shape, kvHeads: 2, widths: { key: 64, value: 64 } };
  const key = 'forward/Tq64Tk64Dh64';
  const only = { training: false };
  await tuneAttention([shape], { ...only, known: { [key]: 'direct' } });
  expect(tilingFor(backend, 'forward', sizes).key).toBe('direct');
  const [q, k, v] = [1, 2, 3].map((seed) => gaussian([1, 2, 64, 64], seed)) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  await expectClose(attention(q, k, v), attentionReference(q, k, v, { mask: none, scale: 0.125 }));
  await tuneAttention([shape], { ...only, known: { [key]: 'of another version' } });
  expect(tilingFor(backend, 'forward', sizes).key).toBe(
    tilingsOf(backend, { key: 64, value: 64 })[0]!.key,
  );
});

test('a size below 1 is named', async () => {
  await expect(tuneAttention([{ ...shape, queries: 0 }])).rejects.toThrow(
    'tuneAttention: queries is 0; expected at least 1',
  );
});
