import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkOperands } from '../dispatch/check.js';
import { hasKernel, runKernel } from '../dispatch/register.js';

/** Which expert each row of work is for, and where the rows of an expert lie: `R = N k` pairs of a token and an expert. */
export interface Routing {
  /** `[N, k]`, int32: the experts of each token, the likeliest first. */
  readonly choices: tf.Tensor2D;
  /** `[R]`, int32: the pairs in the order of their experts; pair `n k + j` is the j-th choice of token n. */
  readonly order: tf.Tensor1D;
  /** `[R]`, int32: the place of each pair in that order. */
  readonly places: tf.Tensor1D;
  /** `[E + 1]`, int32: the place where each expert's pairs begin, and R. */
  readonly offsets: tf.Tensor1D;
  /** `E` */
  readonly experts: number;
}

/**
 * Routes each token to the experts of its `k` largest scores, and sorts the pairs by expert, on the device: nothing is read back.
 *
 * Equal scores go to the expert with the lower number. It has no gradient: scores learn through the weights that are gathered by
 * `choices`. The caller disposes the tensors, as a tidy does.
 *
 * @param scores `[N, E]`
 * @param k experts of a token
 * @throws ShapeError unless the scores are a matrix, InputError unless k is from 1 to E
 */
export function routeTokens(scores: tf.Tensor2D, k: number): Routing {
  checkShape('routeTokens: scores', scores.shape, ['N', 'E']);
  checkOperands('routeTokens', { scores });
  const experts = scores.shape[1];
  if (!Number.isInteger(k) || k < 1 || k > experts) {
    throw new InputError(
      `routeTokens: k is ${k}; expected a whole number from 1 to ${experts}, the number of experts`,
    );
  }
  if (hasKernel('headwise/RouteTokens')) {
    const made = runKernel('headwise/RouteTokens', { scores }, { k });
    const [choices, order, places, offsets] = made as unknown as [
      tf.Tensor2D,
      tf.Tensor1D,
      tf.Tensor1D,
      tf.Tensor1D,
    ];
    return { choices, order, places, offsets, experts };
  }
  // These backends keep values where they can be read at once.
  const choices = tf.tidy(() => tf.topk(scores, k).indices as tf.Tensor2D);
  const ids = choices.dataSync() as Int32Array;
  const order = Int32Array.from(ids.keys()).sort((a, b) => ids[a]! - ids[b]! || a - b);
  const places = new Int32Array(order.length);
  order.forEach((pair, place) => {
    places[pair] = place;
  });
  const offsets = new Int32Array(experts + 1);
  for (const id of ids) offsets[id + 1]!++;
  for (let e = 0; e < experts; e++) offsets[e + 1]! += offsets[e]!;
  const vector = (values: Int32Array) => tf.tensor1d(values, 'int32');
  return {
    choices,
    order: vector(order),
    places: vector(places),
    offsets: vector(offsets),
    experts,
  };
}
