import { checkShape, currentDevice } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkType } from '../dispatch/check.js';
import { hasKernel } from '../dispatch/register.js';

/**
 * What a recorded step reads and advances: int32, `[3 + S]`: the position of the token to process, its id, the number of
 * tokens that were drawn, and the seeds of the next S draws.
 */
export type StepState = tf.Tensor1D;

/** Numbers of a state before its seeds. */
export const stateHeader = 3;

/** Whether steps can be recorded and write into a cache in place: on WebGPU, as `start` starts it. */
export function canStep(): boolean {
  if (tf.getBackend() !== 'webgpu' || !hasKernel('headwise/AppendKeysValues')) return false;
  return (tf.backend() as unknown as { device: GPUDevice }).device === currentDevice()?.gpu;
}

export function checkState(op: string, state: StepState): void {
  checkShape(`${op}: state`, state.shape, ['3 + S']);
  checkType(`${op}: state`, state, 'int32');
}
