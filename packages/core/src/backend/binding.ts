import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

const limits = new WeakMap<GPUDevice, number>();

/** Bytes that one binding of a storage buffer may span on a device. */
export function bindingLimit(gpu: GPUDevice): number {
  let most = limits.get(gpu);
  if (most === undefined) {
    // Asked with every operation, and slow to read in Node.
    most = gpu.limits.maxStorageBufferBindingSize;
    limits.set(gpu, most);
  }
  return most;
}

/**
 * Runs a function while the binding limit of TensorFlow.js's device is lower, so that small tensors are bound in pieces as
 * large ones are; for tests.
 *
 * @param bytes at least 256
 */
export async function underBindingLimit<T>(bytes: number, f: () => T | Promise<T>): Promise<T> {
  const { device } = tf.backend() as WebGPUBackend;
  limits.set(device, bytes);
  try {
    return await f();
  } finally {
    limits.delete(device);
  }
}
