import { type ForwardContext, InputError, type LanguageModel, quoted } from '@headwise/core';
import { headMatrix, headScores } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';

/**
 * Layers that DoLa compares the last one with: 0 is what enters the first block, i what leaves block i; `low` is every other one
 * of the lower half, `high` of the upper half.
 */
export type DolaLayers = 'low' | 'high' | readonly number[];

/** Tokens less likely than this part of the likeliest one's probability are not drawn. */
const relativeTop = 0.1;

/** @throws InputError unless they are layers */
export function checkDolaLayers(layers: DolaLayers): void {
  const isList = Array.isArray(layers) && layers.length > 0;
  if (layers === 'low' || layers === 'high') return;
  if (isList && layers.every((layer: number) => Number.isSafeInteger(layer) && layer >= 0)) return;
  throw new InputError(
    `dolaLayers is ${quoted(layers)}; expected 'low', 'high', or a list of layers from 0`,
  );
}

/**
 * DoLa's scores: `log p − log q` for tokens with `p ≥ 0.1 max p`, else −∞; p of the last layer, q of the layer whose scores differ
 * most from it (Jensen–Shannon). As in Hugging Face's `generate`, earlier layers are multiplied with the head without the last norm.
 *
 * @param ids `[1, T]`, int32
 * @returns `[1, V]`
 * @throws InputError for a model without a head of one matrix, and for layers that it does not have
 * @see Chuang et al. 2023, https://arxiv.org/abs/2309.03883
 */
export function dolaScores(
  network: LanguageModel,
  ids: tf.Tensor2D,
  ctx: ForwardContext,
  layers: DolaLayers,
): tf.Tensor2D {
  const { head } = network;
  const matrix = headMatrix(head);
  if (!head || !matrix || matrix.softCap !== undefined) {
    throw new InputError(
      'dolaLayers: the model has no head of one matrix without a soft-cap; expected one',
    );
  }
  const last = (x: tf.Tensor) => x.slice([0, x.shape[1]! - 1, 0], [1, 1, -1]).flatten(); // [D]
  const streams: tf.Tensor[] = [];
  // What a tap is given is disposed at the end of its layer.
  const tap = (_name: string, value: tf.Tensor) => void streams.push(tf.keep(last(value)));
  const wants = (name: string) => name === 'embedded' || /^blocks\.\d+\.resid$/.test(name);
  try {
    return tf.tidy(() => {
      const hidden = head.hidden(ids, { ...ctx, tap: Object.assign(tap, { wants }) });
      const earlier = layersOf(layers, streams.length - 1, head.path === undefined);
      const all = [last(hidden), ...earlier.map((layer) => streams[layer]!)];
      const scores = headScores(tf.stack(all) as tf.Tensor2D, matrix);
      const logs = tf.logSoftmax(scores); // [1 + C, V]
      const mature = logs.slice([0, 0], [1, -1]);
      const premature = logs.slice([1, 0], [-1, -1]);
      const chosen = earlier.length === 1 ? premature : farthest(mature, premature);
      const bound = mature.max().add(Math.log(relativeTop));
      const none = tf.fill(mature.shape, Number.NEGATIVE_INFINITY);
      return tf.where(mature.less(bound), none, mature.sub(chosen)) as tf.Tensor2D;
    });
  } finally {
    tf.dispose(streams);
  }
}

/** The row of the largest Jensen–Shannon divergence. @param mature `[1, V]` @param premature `[C, V]`, log-probabilities */
function farthest(mature: tf.Tensor, premature: tf.Tensor): tf.Tensor {
  const mean = mature.exp().add(premature.exp()).div(2); // [C, V]
  const logMean = mean.log();
  const divergence = mean
    .mul(logMean.sub(mature))
    .add(mean.mul(logMean.sub(premature)))
    .mean(1);
  return tf.gather(premature, divergence.argMax().expandDims());
}

/** @param count of blocks @param tied whether the head is the embeddings: what enters the blocks scores its own token then */
function layersOf(layers: DolaLayers, count: number, tied: boolean): readonly number[] {
  if (typeof layers !== 'string') {
    const beyond = layers.find((layer) => layer >= count);
    if (beyond === undefined) return layers;
    throw new InputError(
      `dolaLayers has layer ${beyond}; expected layers below ${count}, the last`,
    );
  }
  const first = tied ? Math.min(2, Math.max(0, count - 1)) : 0;
  const middle = Math.floor(count / 2);
  const low = first === middle ? [first] : everyOther(first, count <= 40 ? middle : 20);
  const found = layers === 'low' ? low : everyOther(count <= 40 ? middle : count - 20, count);
  if (found.length > 0) return found;
  throw new InputError(`dolaLayers is '${layers}', which no layer of ${count} is; expected a list`);
}

const everyOther = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, Math.ceil((to - from) / 2)) }, (_, i) => from + 2 * i);
