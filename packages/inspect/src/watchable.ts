import type { ForwardContext } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';

/**
 * A function or layer that can be run with a tap: a layer, a model, or a wrapper around one with more inputs.
 *
 * @example
 * const model = { forward: (ids, ctx) => t5.decode(targetIds, t5.encode(ids, ctx), ctx) };
 */
export interface Watchable<Output = tf.Tensor> {
  forward(input: tf.Tensor, ctx?: ForwardContext): Output;
}
