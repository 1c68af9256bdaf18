import { InputError } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import { b, k, q } from '../expression/expression.js';
import { scoreTable } from '../expression/table.js';
import type { Mask } from './mask.js';

/**
 * A query sees itself and what came before; the last query is aligned with the last key, so that the
 * same mask serves training, prefill and decoding.
 */
export const causal: Mask = { name: 'causal', condition: k.lessEqual(q), inputs: [] };

/**
 * A query sees keys less than `width` places away, on both sides: `|q − k| < width`.
 *
 * Mistral's window is `and(causal, slidingWindow(width))`.
 *
 * @throws InputError unless the width is a whole number of at least 1
 * @see Beltagy et al. 2020, https://arxiv.org/abs/2004.05150
 */
export function slidingWindow(width: number): Mask {
  const name = `slidingWindow(${width})`;
  checkCount('slidingWindow: width', width, 1);
  // Far enough for any sequence, and places stay within 32 bits.
  const places = Math.min(width, 2 ** 30);
  return { name, condition: k.greater(q.sub(places)).and(k.less(q.add(places))), inputs: [] };
}

/**
 * Every query sees the first keys; a prefix language model is `or(causal, prefix(length))`.
 *
 * @param length a number, or `[B]`, int32
 * @throws InputError for a number that is negative or no whole one
 * @see Raffel et al. 2020, https://arxiv.org/abs/1910.10683
 */
export function prefix(length: number | tf.Tensor): Mask {
  if (typeof length === 'number') {
    checkCount('prefix: length', length, 0);
    return { name: `prefix(${length})`, condition: k.less(length), inputs: [] };
  }
  const condition = k.less(scoreTable(length, 'int32').at(b));
  const inputs = [{ what: 'length', tensor: length, shape: ['B'] }];
  return { name: 'prefix', condition, inputs };
}

function checkCount(what: string, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least)) {
    throw new InputError(`${what} is ${value}; expected a whole number of at least ${least}`);
  }
}
