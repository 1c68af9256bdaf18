import * as tf from '@tensorflow/tfjs';
import { type Mask, visibleKeys } from './mask.js';

export interface ReferenceOptions {
  mask: Mask;
  scale: number;
  /** `[B]`, int32. */
  lengths?: tf.Tensor;
  /** What to make of the scores, `[B, H, Tq, Tk]`, hidden ones included. */
  onScores?: (scores: tf.Tensor) => tf.Tensor;
  /** What to make of the weights, `[B, H, Tq, Tk]`. */
  onPattern?: (pattern: tf.Tensor) => tf.Tensor;
}

/** Added to the scores of hidden keys: large enough to vanish in a softmax, small enough to stay finite. */
const hidden = -1e30;

/** Attention in plain operations: the specification, the path of other backends, and the one to look into. */
export function attentionReference(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  { mask, scale, lengths, onScores, onPattern }: ReferenceOptions,
): tf.Tensor {
  const [batch, heads, queries] = q.shape as [number, number, number];
  const [, kvHeads, keys] = k.shape as [number, number, number];
  return tf.tidy(() => {
    // The query heads that share keys are rows of one product, so that no key is copied.
    const grouped = (x: tf.Tensor) => x.reshape([batch, kvHeads, -1, x.shape.at(-1)!]);
    const perHead = (x: tf.Tensor) => x.reshape([batch, heads, queries, -1]);
    // Scaling the queries touches Tq · Dh values, not Tq · Tk.
    const raw = perHead(tf.matMul(grouped(q.mul(scale)), k, false, true)); // [B, H, Tq, Tk]
    const visible = visibleKeys(mask, queries, keys, lengths);
    const masked = visible ? raw.add(visible.sub(1).mul(-hidden)) : raw;
    const scores = onScores?.(masked) ?? masked;
    const weights = tf.softmax(scores);
    // Where a query sees no key at all, softmax gives equal weights to what is hidden.
    const seeing = visible && (lengths || queries > keys) ? weights.mul(visible) : weights;
    const pattern = onPattern?.(seeing) ?? seeing;
    return perHead(tf.matMul(grouped(pattern), v)); // [B, H, Tq, Dv]
  });
}
