import type { Tap } from '@headwise/core';
import { gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { attend } from './attend.js';

test('attention stays fused beside a probe and a tap that wants neither scores nor pattern', async () => {
  const q = gaussian([1, 2, 5, 8], 3);
  const kernels = async (tap: Tap) =>
    (await tf.profile(() => attend(q, q, q, { ctx: { tap, onAttention: () => {} } }))).kernelNames;
  expect(await kernels(Object.assign(() => {}, { wants: () => false }))).toEqual([
    'headwise/Attention',
  ]);
  expect(await kernels(() => {})).not.toContain('headwise/Attention');
});
