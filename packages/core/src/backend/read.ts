import { HeadwiseError } from '@headwise/errors';
import * as tf from '@tensorflow/tfjs';
import { currentDevice } from './device.js';
import type { Device } from './device-type.js';

/** A shader or a command that the GPU's driver refused. */
export class GpuError extends HeadwiseError {
  override readonly name = 'GpuError';
}

type Check = (values: Float32Array | Int32Array | Uint8Array) => void;

/** Checks to run on values that only the device has when they are read. */
const checks = new WeakMap<tf.Tensor['dataId'], Check>();

/**
 * Makes `readTensor` check the values of a tensor, or of one that shares them, before it returns them.
 *
 * @param check throws where they cannot be used
 */
export function checkWhenRead({ dataId }: tf.Tensor, check: Check): void {
  checks.set(dataId, check);
}

/** Checks to run with the next read. */
const pending: (() => Promise<void>)[] = [];

/**
 * Runs a check with the next `readTensor`, whichever tensor it reads.
 *
 * @param check rejects with the error to throw
 */
export function checkWithNextRead(check: () => Promise<void>): void {
  pending.push(check);
}

/** Runs a function, and forgets what it asked the next read to check: for tensors that hold no values. */
export function withoutPendingChecks<T>(run: () => T): T {
  const before = pending.length;
  try {
    return run();
  } finally {
    pending.length = before;
  }
}

/**
 * The values of a tensor, row-major; like `tensor.data()`, but a GPU error is never a silent zero.
 *
 * @throws DeviceLostError where the device was lost before the values came, GpuError where the
 * driver refused a shader or a command since the last read, and what `checkWhenRead` and `checkWithNextRead` were
 * asked to throw
 */
export async function readTensor<T extends tf.Tensor>(
  tensor: T,
): Promise<Float32Array | Int32Array | Uint8Array> {
  // Another backend's values do not depend on a device that was started before it.
  const device = tf.getBackend() === 'webgpu' ? currentDevice() : undefined;
  const values = device ? await checked(tensor) : await tensor.data();
  if (device) throwErrors(device);
  checks.get(tensor.dataId)?.(values);
  return values;
}

/** The values of a tensor on a GPU; pending checks run in the same submission or the next. */
async function checked(tensor: tf.Tensor): Promise<Float32Array | Int32Array | Uint8Array> {
  const [values] = await Promise.all([tensor.data(), ...pending.splice(0).map((check) => check())]);
  return values;
}

/** Throws the errors of the device that have not been reported yet. */
function throwErrors(device: Device): void {
  const errors = device.errors.splice(0);
  if (errors.length > 0) throw new GpuError(`the GPU refused work: ${errors.join('\n')}`);
}
