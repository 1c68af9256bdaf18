import * as tf from '@tensorflow/tfjs';

/** Which keys a query may see: a value, not a tensor, so that kernels can skip what is hidden. */
export type Mask = { readonly kind: 'none' } | { readonly kind: 'causal' };

/** Every query sees every key. */
export const none: Mask = { kind: 'none' };

/**
 * A query sees itself and what came before; the last query is aligned with the last key, so that the
 * same mask serves training, prefill and decoding.
 */
export const causal: Mask = { kind: 'causal' };

/**
 * The keys that each query may see, as ones among zeros; undefined where nothing is hidden.
 *
 * @param lengths `[B]`, int32: the number of keys of each sequence that are no padding
 * @returns `[B or 1, 1, Tq, Tk]`
 */
export function visibleKeys(
  mask: Mask,
  queries: number,
  keys: number,
  lengths?: tf.Tensor,
): tf.Tensor4D | undefined {
  // A single query at the end sees every key.
  const ordered = mask.kind === 'causal' && queries > 1;
  if (!ordered && !lengths) return undefined;
  return tf.tidy(() => {
    const key = tf.range(0, keys, 1, 'float32').reshape([1, 1, 1, keys]);
    const last = tf.range(keys - queries, keys, 1, 'float32').reshape([1, 1, queries, 1]);
    const inOrder = ordered ? key.lessEqual(last) : undefined; // [1, 1, Tq, Tk]
    const inLength = lengths && key.less(lengths.toFloat().reshape([-1, 1, 1, 1])); // [B, 1, 1, Tk]
    const visible = inOrder && inLength ? inOrder.logicalAnd(inLength) : (inOrder ?? inLength!);
    const rows = inOrder ? visible : visible.tile([1, 1, queries, 1]);
    return rows.toFloat() as tf.Tensor4D;
  });
}
