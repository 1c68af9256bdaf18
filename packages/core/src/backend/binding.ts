import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

const lowered = new WeakMap<GPUDevice, number>();

/** Bytes that one binding of a storage buffer may span on a device. */
export function bindingLimit(gpu: GPUDevice): number {
  return lowered.get(gpu) ?? gpu.limits.maxStorageBufferBindingSize;
}

/**
 * Runs a function while the binding limit of TensorFlow.js's device is lower, so that small tensors are bound in pieces as
 * large ones are; for tests.
 *
 * @param bytes at least 256
 */
export async function underBindingLimit<T>(bytes: number, f: () => T | Promise<T>): Promise<T> {
  const { device } = tf.backend() as WebGPUBackend;
  lowered.set(device, bytes);
  try {
    return await f();
  } finally {
    lowered.delete(device);
  }
}
