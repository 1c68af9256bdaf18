import { checkShape } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import { checkType } from '../dispatch/check.js';

/**
 * What a recorded step reads and advances: int32, `[3 + S]`: the position of the token to process, its id, the number of
 * tokens that were drawn, and the seeds of the next S draws.
 */
export type StepState = tf.Tensor1D;

/** Numbers of a state before its seeds. */
export const stateHeader = 3;

export function checkState(op: string, state: StepState): void {
  checkShape(`${op}: state`, state.shape, ['3 + S']);
  checkType(`${op}: state`, state, 'int32');
}
