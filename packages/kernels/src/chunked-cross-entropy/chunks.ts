import type { HeadMatrix } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { CheckedCrossEntropy } from '../cross-entropy/options.js';
import { runKernel } from '../dispatch/register.js';
import { linear } from '../linear/index.js';
import { product } from '../linear/product.js';
import { packedLinear } from '../packed-linear/index.js';
import { PackedWeight } from '../packed-linear/pack.js';
import { unpackWeight } from '../packed-linear/unpack.js';
import { softCap, softCapGradient } from '../soft-cap/index.js';

/** The logits that exist at one time take about this many bytes. */
const chunkBytes = 2 ** 23;

interface Given {
  /** `[N, D]` */
  hidden: tf.Tensor2D;
  /** `[V, D]`, or packed */
  weight: tf.Tensor2D | PackedWeight;
  /** `[V]`, added to each row's logits. */
  bias?: tf.Tensor1D | undefined;
  /** The soft-cap of the logits. */
  softCap?: number | undefined;
  /** `[N]`, int32 */
  labels: tf.Tensor1D;
  /** `[N]`: what each row's loss is multiplied by before they are added. */
  shares: tf.Tensor1D;
  attributes: CheckedCrossEntropy;
}

/** What a loss in chunks can have gradients of; there is none of a packed weight. */
export interface Gradients {
  hidden?: tf.Tensor2D | undefined;
  weight?: tf.Tensor2D | undefined;
  bias?: tf.Tensor1D | undefined;
}

interface LossAndGradients {
  loss: tf.Scalar;
  gradients: Gradients;
}

/** A head of one matrix that is in float32 or packed here. */
export interface OwnHeadMatrix extends HeadMatrix {
  readonly weight: tf.Tensor2D | PackedWeight;
}

/** What a model's head makes scores with; undefined where it has no matrix, or keeps it in another way. */
export function headMatrix(head: HeadMatrix | undefined): OwnHeadMatrix | undefined {
  if (!head) return undefined;
  const { weight, bias, softCap } = head;
  const own = weight instanceof tf.Tensor || weight instanceof PackedWeight;
  return own ? { weight, bias, softCap } : undefined;
}

/** The scores of a head that is one matrix: `[n, D]` → `[n, V]` */
export function headScores(
  hidden: tf.Tensor2D,
  { softCap: cap, ...head }: OwnHeadMatrix,
): tf.Tensor2D {
  const scores = products(hidden, head);
  return cap === undefined ? scores : tf.tidy(() => softCap(scores, cap));
}

/** `hidden Wᵀ + b` */
function products(hidden: tf.Tensor2D, { weight, bias }: OwnHeadMatrix): tf.Tensor2D {
  return tf.tidy(() => {
    const added = biasOf({ bias });
    return (
      weight instanceof PackedWeight
        ? packedLinear(hidden, weight, added)
        : linear(hidden, weight, added, 'out-in')
    ) as tf.Tensor2D;
  });
}

/** The bias of a head as it is added to each row: `[V]` */
export const biasOf = ({ bias }: Pick<HeadMatrix, 'bias'>): tf.Tensor1D | undefined =>
  bias && bias.rank > 1 ? bias.flatten() : (bias as tf.Tensor1D | undefined);

/**
 * The weighted sum of the rows' losses and the gradients that are wanted; some rows at a time.
 *
 * @param most rows at a time
 */
export function lossInChunks(
  given: Given,
  wanted: readonly (keyof Gradients)[],
  most: number = rowsAtATime(vocabularyOf(given.weight)),
): LossAndGradients {
  const { hidden, labels, shares, weight } = given;
  // The gradient of the hidden states is a product over the vocabulary, along which packed words do not lie.
  const unpacked =
    wanted.includes('hidden') && weight instanceof PackedWeight ? unpackWeight(weight) : undefined;
  const losses: tf.Tensor1D[] = [];
  const dHidden: tf.Tensor2D[] = [];
  const sums: Sums = {};
  for (const [start, size] of chunks(hidden.shape[0], most)) {
    // One chunk is all rows: a slice would copy them.
    const all = size === hidden.shape[0];
    const rows = {
      hidden: all ? hidden : hidden.slice([start, 0], [size, hidden.shape[1]]),
      labels: all ? labels : labels.slice(start, size),
      shares: all ? shares : shares.slice(start, size),
    };
    const chunk = lossOfChunk({ ...given, ...rows }, wanted, sums, unpacked);
    if (!all) tf.dispose(rows);
    losses.push(chunk.loss);
    if (chunk.hidden) dHidden.push(chunk.hidden);
    if (chunk.weight) sums.weight = chunk.weight;
    if (chunk.bias) sums.bias = chunk.bias;
  }
  unpacked?.dispose();
  const x = tf.concat1d(losses);
  const loss = runKernel('headwise/WeightedSum', { x, weights: shares })[0] as tf.Scalar;
  return {
    loss,
    gradients: { ...(dHidden.length > 0 && { hidden: tf.concat2d(dHidden, 0) }), ...sums },
  };
}

/** The gradients that chunks add to, from the first one on. */
type Sums = Pick<Gradients, 'weight' | 'bias'>;

/** The losses of some rows, `[n]`, and gradients: of their hidden states, and the sums that they begin. */
type Chunk = Pick<Gradients, keyof Gradients> & { loss: tf.Tensor1D };

function lossOfChunk(
  { hidden, weight, bias, softCap: cap, labels, shares, attributes }: Given,
  wanted: readonly (keyof Gradients)[],
  sums: Sums,
  unpacked: tf.Tensor2D | undefined,
): Chunk {
  return tf.tidy(() => {
    const scores = products(hidden, { weight, bias }); // [n, V]
    const logits = cap === undefined ? scores : softCap(scores, cap);
    const options = { ...attributes };
    const [loss, stats] = runKernel('headwise/CrossEntropy', { logits, labels }, options);
    const chunk: Chunk = { loss: loss as tf.Tensor1D };
    if (wanted.length === 0) return chunk;
    const inputs = { dy: shares, logits, labels, stats: stats! };
    runKernel('headwise/CrossEntropyGradientInPlace', inputs, options);
    let d = logits;
    if (cap !== undefined) {
      d = softCapGradient(logits, scores, cap) as tf.Tensor2D;
      tf.dispose([logits, scores]);
    }
    // First, as its product may copy the scores: the part of the weight's gradient is not there yet.
    if (wanted.includes('hidden')) {
      chunk.hidden = (
        weight instanceof PackedWeight
          ? linear(d, unpacked!, undefined, 'out-in')
          : linear(d, weight)
      ) as tf.Tensor2D;
    }
    if (wanted.includes('bias')) chunk.bias = begun(sums.bias, d.sum<tf.Tensor1D>(0));
    if (wanted.includes('weight')) {
      chunk.weight = begun(sums.weight, product(d, hidden, true)); // [V, D]
    }
    return chunk;
  });
}

/** Adds a part to a sum in place; the part itself where it begins the sum. */
function begun<T extends tf.Tensor>(sum: T | undefined, addend: T): T | undefined {
  if (!sum) return addend;
  runKernel('headwise/AddInPlace', { sum, addend });
  return undefined;
}

const vocabularyOf = (weight: tf.Tensor2D | PackedWeight): number =>
  weight instanceof PackedWeight ? weight.out : weight.shape[0];

/** The rows of logits that are held at one time. */
export const rowsAtATime = (vocabulary: number): number =>
  Math.max(1, Math.floor(chunkBytes / (4 * vocabulary)));

/** First row and number of rows of each chunk; of even sizes. */
function chunks(rows: number, most: number): [start: number, size: number][] {
  const size = Math.ceil(rows / Math.ceil(rows / most));
  return Array.from({ length: Math.ceil(rows / size) }, (_, i) => [
    i * size,
    Math.min(size, rows - i * size),
  ]);
}
