import * as tf from '@tensorflow/tfjs';
import { keptWeights, type WeightDropout } from './dropout.js';
import { evaluate, type PairSizes, placesOf, withoutSlope } from './expression/evaluate.js';
import type { Mask } from './masks/mask.js';
import { causal } from './masks/order.js';
import { modified, type ScoreMod } from './mods.js';

export interface ReferenceOptions {
  mask: Mask;
  scale: number;
  mods?: readonly ScoreMod[] | undefined;
  /** `[H]`: a score for each head that takes part in the softmax and has no value. */
  sinks?: tf.Tensor | undefined;
  dropout?: WeightDropout | undefined;
  /** 1 where a query sees a key, besides the mask, else 0; broadcasts to `[B, H, Tq, Tk]`. */
  visible?: tf.Tensor | undefined;
  /** What to make of the scores, `[B, H, Tq, Tk]`, hidden ones included. */
  onScores?: ((scores: tf.Tensor) => tf.Tensor) | undefined;
  /** What to make of the weights, `[B, H, Tq, Tk]`. */
  onPattern?: ((pattern: tf.Tensor) => tf.Tensor) | undefined;
  /** Made from the weights and added to the output, `[B, H, Tq, Dv]`. */
  values?: ((pattern: tf.Tensor) => tf.Tensor) | undefined;
}

/** Attention in plain operations: the specification, the path of other backends, and the one to look into. */
export function attentionReference(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: ReferenceOptions,
): tf.Tensor {
  const { mask, mods = [], scale, sinks, dropout, onScores, onPattern, values } = options;
  const [batch, heads, queries] = q.shape as [number, number, number];
  const [, kvHeads, keys] = k.shape as [number, number, number];
  const sizes: PairSizes = { batch, heads, queries, keys };
  return tf.tidy(() => {
    // The query heads that share keys are rows of one product, so that no key is copied.
    const grouped = (x: tf.Tensor) => x.reshape([batch, kvHeads, -1, x.shape.at(-1)!]);
    const perHead = (x: tf.Tensor) => x.reshape([batch, heads, queries, -1]);
    // Scaling the queries touches Tq · Dh values, not Tq · Tk.
    const product = perHead(tf.matMul(grouped(q.mul(scale)), k, false, true)); // [B, H, Tq, Tk]
    const raw = scoresOf(product, mask, mods, sizes);
    const visible = visibleKeys(mask, sizes, options.visible);
    const eachSees = mask === causal && queries <= keys && !options.visible;
    const masked = visible ? withoutHidden(raw, visible, raw === product, eachSees) : raw;
    const scores = onScores?.(masked) ?? masked;
    const weights = sinks ? softmaxWithSinks(scores, sinks) : tf.softmax(scores);
    // A query that sees no key at all has weights for what is hidden until here.
    const seeing = visible && !eachSees ? weights.mul(visible.toFloat()) : weights;
    const kept = dropout ? seeing.mul(keptWeights(sizes, dropout)) : seeing;
    const pattern = onPattern?.(kept) ?? kept;
    const y = perHead(tf.matMul(grouped(pattern), v)); // [B, H, Tq, Dv]
    return values ? y.add(values(pattern)) : y;
  });
}

/** The scores from the scaled products, `[B, H, Tq, Tk]`. */
function scoresOf(
  product: tf.Tensor,
  mask: Mask,
  mods: readonly ScoreMod[],
  sizes: PairSizes,
): tf.Tensor {
  const score = modified(mods, mask);
  if (!score) return product;
  const value = evaluate(score.node, { ...placesOf(sizes), score: product });
  return tf.broadcastTo(value, product.shape);
}

/**
 * The scores, −∞ where the key is masked.
 *
 * Rows without a visible key are left unchanged, since a softmax of −∞ only is NaN; multiply their weights by
 * `visible`.
 *
 * @param finite whether masked scores are never NaN or +∞ (score mods can produce both): a broadcast bias is then added, faster than `where`
 * @param eachSees every query sees a key
 */
export function withoutHidden(
  scores: tf.Tensor,
  visible: tf.Tensor,
  finite: boolean,
  eachSees = false,
): tf.Tensor {
  const hides = withoutSlope(([v]) => (eachSees ? v.logicalNot() : hidesInRows(v)), [visible]);
  const below = Number.NEGATIVE_INFINITY;
  return finite ? scores.add(tf.where(hides, below, 0)) : tf.where(hides, below, scores);
}

/** What is hidden, of rows in which something is visible. */
function hidesInRows(visible: tf.Tensor): tf.Tensor {
  return visible.logicalNot().logicalAnd(visible.any(-1, true));
}

/** Which keys each query sees, bool, of a shape that broadcasts to `[B, H, Tq, Tk]`; undefined: all. */
function visibleKeys(
  { condition }: Mask,
  sizes: PairSizes,
  given: tf.Tensor | undefined,
): tf.Tensor | undefined {
  const ofMask = condition && evaluate(condition.node, placesOf(sizes));
  const also = given?.toBool();
  return ofMask && also
    ? withoutSlope(([x, y]) => x.logicalAnd(y), [ofMask, also])
    : (ofMask ?? also);
}

/** Softmax over the keys and one more score, whose weight is left out. */
export function softmaxWithSinks(scores: tf.Tensor, sinks: tf.Tensor): tf.Tensor {
  const [batch, heads, queries, keys] = scores.shape as [number, number, number, number];
  const sink = tf.broadcastTo(sinks.reshape([1, heads, 1, 1]), [batch, heads, queries, 1]);
  const weights = tf.softmax(tf.concat([scores, sink], -1));
  return weights.slice([0, 0, 0, 0], [batch, heads, queries, keys]);
}

/** The log-sum-exp of each query's scores in two parts, `[B, H, Tq, 2]`. */
export function logSumExpReference(scores: tf.Tensor, sinks?: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const sink = sinks?.reshape([1, -1, 1, 1]);
    const ofKeys = scores.max(-1, true);
    const largest = sink ? ofKeys.maximum(sink) : ofKeys; // [B, H, Tq, 1]
    const sum = scores.sub(largest).exp().sum(-1, true);
    const total = sink ? sum.add(sink.sub(largest).exp()) : sum;
    return tf.concat([largest, total.log()], -1);
  });
}
