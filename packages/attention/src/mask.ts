import * as tf from '@tensorflow/tfjs';

/** Which keys a query may see: a value, not a tensor, so that fused kernels can skip what is hidden. */
export type Mask = { readonly kind: 'none' } | { readonly kind: 'causal' };

/** Every query sees every key. */
export const none: Mask = { kind: 'none' };

/**
 * A query sees itself and what came before; the last query is aligned with the last key, so that the
 * same mask serves training, prefill and decoding.
 */
export const causal: Mask = { kind: 'causal' };

/** Added to the scores of hidden keys: large enough to vanish in a softmax, small enough to stay finite. */
const hidden = -1e9;

/**
 * A mask as numbers to add to the scores; undefined where nothing is hidden.
 *
 * @returns `[Tq, Tk]`
 */
export function additiveMask(mask: Mask, queries: number, keys: number): tf.Tensor2D | undefined {
  // A single query at the end sees every key.
  if (mask.kind === 'none' || queries === 1) return undefined;
  return tf.tidy(() => {
    const last = tf.range(keys - queries, keys, 1, 'float32').expandDims(1); // [Tq, 1]
    const key = tf.range(0, keys, 1, 'float32').expandDims(0); // [1, Tk]
    return key.greater(last).toFloat().mul(hidden) as tf.Tensor2D;
  });
}
