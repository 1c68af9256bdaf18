import { overwriteTensor } from '@headwise/kernels';
import { fewRows, type StepState, stateHeader } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { kept } from '../cache/kept.js';

/** A token to process. */
export interface StepToken {
  id: number;
  /** The number of tokens before it: the cache holds them, or they are processed in the same step. */
  position: number;
  /** The place of its sequence in the cache; default 0. */
  place?: number | undefined;
}

/** The rows of a step of some tokens: recordings are made for 1, 2, 4 and 8. */
export const rowsFor = (tokens: number): number =>
  tokens > fewRows ? Number.POSITIVE_INFINITY : 2 ** Math.ceil(Math.log2(tokens));

/** @param draws the number of seeds that each row has room for @param seeds of the first row */
export function stateOf(
  tokens: readonly StepToken[],
  draws: number,
  seeds: readonly number[],
): Int32Array {
  const width = stateHeader + draws;
  const values = new Int32Array(rowsFor(tokens.length) * width);
  for (let row = 0; row * width < values.length; row++) {
    const { id, position, place = 0 } = tokens[row] ?? { id: 0, position: 0, place: -1 };
    values.set([position, id, 0, place], row * width);
  }
  values.set(seeds, stateHeader);
  return values;
}

/** A state on the device: a recording must not upload it. */
export function stateTensor(rows: number, values: Int32Array): StepState {
  const state = kept(() => tf.zeros<tf.Rank.R2>([rows, values.length / rows], 'int32'));
  overwriteTensor(state, values);
  return state;
}
