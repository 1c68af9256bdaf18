import { checkShape } from '@headwise/core';
import { isOwnBackend } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { checkType } from '../dispatch/check.js';
import { hasKernel } from '../dispatch/register.js';

/**
 * What a recorded step reads and advances: int32, `[R, 4 + S]`, a row for each token to process: its position, its id, the
 * number of tokens that were drawn after it, the place of its sequence in the cache, and the seeds of the next S draws.
 *
 * Rows of one sequence stand at successive positions. A row without a sequence has the place −1.
 */
export type StepState = tf.Tensor2D;

/** Numbers of a row of the state before its seeds. */
export const stateHeader = 4;

/**
 * WGSL of what a row of `state: i32[]` holds; needs `params.state_width: u32` and `params.rows: u32`, the rows of the state.
 *
 * `first_of(row)` is the position of the first row of the same sequence: older tokens are in the cache.
 */
export const stateWgsl = /* wgsl */ `
  fn position_of(row: u32) -> u32 { return u32(state[row * params.state_width]); }
  fn id_of(row: u32) -> i32 { return state[row * params.state_width + 1u]; }
  fn place_of(row: u32) -> i32 { return state[row * params.state_width + 3u]; }
  fn first_of(row: u32) -> u32 {
    let place = place_of(row);
    var first = position_of(row);
    for (var other = 0u; other < params.rows; other++) {
      if (place_of(other) == place) { first = min(first, position_of(other)); }
    }
    return first;
  }
`;

/** The parameters that `stateWgsl` needs, as a program declares them. */
export const stateParams = { rows: 'u32', state_width: 'u32' } as const;

/** Their values. */
export const stateValues = ({
  shape: [rows, width],
}: StepState): Record<keyof typeof stateParams, number> => ({ rows, state_width: width });

/** Whether steps can be recorded and write into a cache in place: on WebGPU, as `start` starts it. */
export function canStep(): boolean {
  const isWebGPU = tf.getBackend() === 'webgpu' && hasKernel('headwise/AppendKeysValues');
  return isWebGPU && isOwnBackend(tf.backend());
}

export function checkState(op: string, state: StepState): void {
  checkShape(`${op}: state`, state.shape, ['R', '4 + S']);
  checkType(`${op}: state`, state, 'int32');
}
