import { BackendError, type Precision } from '@headwise/core';
import { stopGradient } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { toHalvesKernel } from './webgpu.js';

/**
 * Throws where the backend in use cannot multiply in a precision.
 *
 * @param what names the caller in the message
 * @throws BackendError for `mixed` elsewhere than on WebGPU with Headwise's kernels and the feature `shader-f16`
 */
export function checkPrecision(what: string, precision: Precision | undefined): void {
  if (precision !== 'mixed') return;
  const missing = missingForHalves();
  if (missing === undefined) return;
  throw new BackendError(
    `${what}: precision is 'mixed', and ${missing}; expected 'float32', or WebGPU on a device with the feature 'shader-f16'`,
  );
}

function missingForHalves(): string | undefined {
  if (!hasKernel('headwise/ToHalves')) {
    const name = tf.getBackend();
    return name === 'webgpu'
      ? "WebGPU runs without Headwise's kernels"
      : `the backend is '${name}'`;
  }
  const { device } = tf.backend() as WebGPUBackend;
  return device.features.has('shader-f16') ? undefined : "the device has no 'shader-f16'";
}

/**
 * The values of a float32 tensor as halves, two in a word, the first in the lower bits; the same words while those made before
 * are there. It has no gradient. On WebGPU only.
 *
 * @returns `[⌈size / 2⌉]`, int32: rounded to nearest even, infinite from 65,520 on
 */
export function toHalves(x: tf.Tensor): tf.Tensor {
  const make = () => runKernel('headwise/ToHalves', { x }) as unknown as tf.Tensor;
  return tf.engine().isTapeOn() ? stopGradient(make) : make();
}

/** Makes `toHalves` work. */
export function registerToHalves(): void {
  registerWebGPUKernel('headwise/ToHalves', toHalvesKernel);
}
