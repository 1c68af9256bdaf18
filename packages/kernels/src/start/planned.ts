import {
  type BufferCount,
  onPlannedBackend,
  type PlanningOptions,
  preparePlanning,
} from '@headwise/core/internal';
import { registerKernels } from './register.js';

/**
 * Runs a function on WebGPU with the kernels of this package, on a device that computes nothing and has no memory: what
 * it would allocate is counted. Tensors hold no values, so it must not read any.
 *
 * @param run synchronous; gets the count of buffers
 * @throws BackendError where WebGPU is not available; ShapeError where a tensor is larger than the device allows
 */
export async function planned<T>(
  run: (count: BufferCount) => T,
  options?: PlanningOptions,
): Promise<T> {
  await preparePlanning();
  registerKernels();
  return onPlannedBackend(run, options);
}
