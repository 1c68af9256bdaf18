import { currentDevice } from '@headwise/core';
import { start } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';
import { afterEach, expect } from 'vitest';

// GPU tests run on one device of ours, with our kernels, in Node and in Chromium.
await start({ prefer: 'webgpu' });
// Small tensors must not be computed on the CPU behind our back.
tf.env().set('WEBGPU_CPU_FORWARD', false);

// A shader that the driver refuses gives zeros or old values: it must fail the test.
afterEach(() => {
  expect(currentDevice()?.errors.splice(0) ?? []).toEqual([]);
});
