import {
  checkShape,
  type Encoded,
  type EncoderDecoderModel,
  type ForwardContext,
  InputError,
} from '@headwise/core';
import { isTapped } from '@headwise/core/internal';
import { chunkedCrossEntropy } from '@headwise/kernels';
import { checkIdValues, headMatrix, vocabularyOf } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import {
  countCorrect,
  countTargets,
  ignoredTarget,
  type LossOptions,
  meanCrossEntropy,
} from './cross-entropy.js';
import type { ExampleBatch, Objective } from './objective.js';
import { sampledInputs } from './scheduled-sampling.js';

/** Source sequences and their target sequences, such as sentences and translations; row-major. */
export interface PairBatch extends ExampleBatch {
  /** `[B, Ts]` */
  readonly sources: Int32Array;
  /** `[B, Ts]`, 1 where there is a token, 0 at padding; default all tokens. */
  readonly sourceMask?: Int32Array | undefined;
  /** `[B, Tt]`, padded on the right with `ignoredTarget`. */
  readonly targets: Int32Array;
  /**
   * The share of the decoder's inputs that are the model's own predictions while it trains (scheduled sampling), a number from 0 to 1;
   * default 0, teacher forcing.
   */
  readonly sampled?: number | undefined;
  readonly shape: readonly [batch: number, sourceTokens: number, targetTokens: number];
}

/**
 * Predicts each token of a target sequence from the source sequence and the target's tokens before it (teacher forcing).
 *
 * With `sampled` in a batch, some of these are what the model predicts in a first pass (scheduled sampling).
 *
 * @param options `labelSmoothing` is 0.1 in the Transformer of 2017
 * @see Sutskever, Vinyals and Le 2014, https://arxiv.org/abs/1409.3215; Mihaylova and Martins 2019 (scheduled sampling),
 * https://arxiv.org/abs/1906.07651
 */
export function sequenceToSequence(
  network: EncoderDecoderModel,
  options: LossOptions = {},
): Objective<PairBatch> {
  return {
    name: 'sequence-to-sequence',
    predicted: ({ targets }) => countTargets(targets),
    loss: (batch, ctx) => encoderDecoderLoss(network, batch, ctx, options),
    correct: (batch) =>
      tf.tidy(() =>
        countCorrect(targetScores(network, batch), tf.tensor1d(batch.targets, 'int32')),
      ),
  };
}

/**
 * The mean negative log-likelihood of the target sequences, in nats per token.
 *
 * The decoder reads the targets one place later, after its start token. Where the model's head is one matrix, the logits exist only a
 * few rows at a time.
 *
 * @param options `labelSmoothing` is 0.1 in the Transformer of 2017
 * @returns a scalar
 * @throws InputError where every target is ignored, or an id is outside the vocabulary, ShapeError where a size is not that of the shape
 * @see Sutskever, Vinyals and Le 2014, https://arxiv.org/abs/1409.3215
 */
export function encoderDecoderLoss(
  network: EncoderDecoderModel,
  batch: PairBatch,
  ctx?: ForwardContext,
  options: LossOptions = {},
): tf.Scalar {
  const { sources, targets } = batch;
  const [rows, sourceLength, targetLength] = batch.shape;
  checkShape('encoderDecoderLoss: sources', [sources.length], [rows * sourceLength]);
  checkShape('encoderDecoderLoss: targets', [targets.length], [rows * targetLength]);
  if (targets.every((target) => target === ignoredTarget)) {
    throw new InputError('encoderDecoderLoss: every target is ignored');
  }
  const read = vocabularyOf(network.sourceVocabSize ?? network.vocabSize);
  checkIdValues(sources, read, [rows, sourceLength]);
  const space = vocabularyOf(network.vocabSize, 'target', ignoredTarget);
  checkIdValues(targets, space, [rows, targetLength]);
  return tf.tidy(() => {
    const labels = tf.tensor1d(targets, 'int32');
    const { head } = network;
    const weight = headMatrix(head);
    // A tap may want to see the logits, which otherwise never exist all at once.
    if (!head || !weight || isTapped(ctx, '', 'logits')) {
      return meanCrossEntropy(targetScores(network, batch, ctx), labels, options);
    }
    const { ids, encoded } = decoderInputs(network, batch, ctx);
    const hidden = head.hidden(ids, encoded, ctx).reshape<tf.Tensor2D>([labels.size, -1]);
    const bias = head.bias?.reshape<tf.Tensor1D>([-1]);
    const all = { ...options, bias, ignoreIndex: ignoredTarget };
    return chunkedCrossEntropy(hidden, weight, labels, all);
  });
}

/** Scores of each target token, from the source and the targets before it. @returns `[B, Tt, V]` */
function targetScores(
  network: EncoderDecoderModel,
  batch: PairBatch,
  ctx?: ForwardContext,
): tf.Tensor {
  const { ids, encoded } = decoderInputs(network, batch, ctx);
  return network.decode(ids, encoded, ctx);
}

/** What the decoder reads: the encoded source, and the targets one place later, `[B, Tt]`. */
function decoderInputs(
  network: EncoderDecoderModel,
  { sources, sourceMask, targets, sampled = 0, shape }: PairBatch,
  ctx?: ForwardContext,
): { ids: tf.Tensor2D; encoded: Encoded } {
  const [rows, sourceLength, targetLength] = shape;
  const read = targets.map((_, i) => {
    const before = i % targetLength === 0 ? network.startId : targets[i - 1]!;
    return before === ignoredTarget ? network.startId : before;
  });
  const source = tf.tensor2d(sources, [rows, sourceLength], 'int32');
  const mask = sourceMask && tf.tensor2d(sourceMask, [rows, sourceLength], 'int32');
  const encoded = network.encode(source, mask ? { ...ctx, attentionMask: mask } : ctx);
  const ids = tf.tensor2d(read, [rows, targetLength], 'int32');
  if (!ctx?.training || sampled === 0) return { ids, encoded };
  const mixed = sampledInputs(network, { ids, encoded, targets, share: sampled }, ctx);
  return { ids: mixed, encoded };
}
