import {
  checkShape,
  type Encoded,
  type EncoderDecoderModel,
  type ForwardContext,
  InputError,
} from '@headwise/core';
import { isTapped } from '@headwise/core/internal';
import { checkIdValues, headLoss, headMatrix, vocabularyOf } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import {
  countCorrect,
  countTargets,
  ignoredTarget,
  type LossOptions,
  meanCrossEntropy,
} from './cross-entropy.js';
import type { BatchArrays, BatchTensors, ExampleBatch, Objective } from './objective.js';
import { sampledInputs } from './scheduled-sampling.js';
import { ownLoss, tensorsOf } from './tensor-loss.js';

/** Sources and their target sequences, such as sentences and translations, or pictures and captions; row-major. */
export interface PairBatch extends ExampleBatch {
  /** Ids `[B, Ts]`; or the values of what the encoder reads in place of ids, `[B, …sourceShape]`. */
  readonly sources: Int32Array | Float32Array;
  /** The shape of one source that is not ids, as `[H, W, C]` of a picture; Ts is then the number of its values. */
  readonly sourceShape?: readonly number[] | undefined;
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
 * @param given `labelSmoothing` is 0.1 in the Transformer of 2017
 * @see Sutskever, Vinyals and Le 2014, https://arxiv.org/abs/1409.3215; Mihaylova and Martins 2019 (scheduled sampling),
 * https://arxiv.org/abs/1906.07651
 */
export function sequenceToSequence(
  network: EncoderDecoderModel,
  given: LossOptions = {},
): Objective<PairBatch> {
  const options = { ...given };
  return {
    name: 'sequence-to-sequence',
    predicted: ({ targets }) => countTargets(targets),
    loss: (batch, ctx) => encoderDecoderLoss(network, batch, ctx, options),
    tensorLoss: ownLoss({
      // Which inputs are sampled is drawn in JavaScript.
      arrays: (batch) => ((batch.sampled ?? 0) === 0 ? pairArrays(network, batch) : undefined),
      loss: (tensors, ctx) => pairLoss(network, tensors, ctx, options),
    }),
    correct: (batch) =>
      tf.tidy(() => {
        const tensors = tensorsOf(pairArrays(network, batch));
        return countCorrect(targetScores(network, tensors), tensors.targets!);
      }),
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
  const { targets, sampled = 0 } = batch;
  const arrays = pairArrays(network, batch);
  return tf.tidy(() => {
    const tensors = tensorsOf(arrays);
    if (!ctx?.training || sampled === 0) return pairLoss(network, tensors, ctx, options);
    const mix: Mix = (ids, encoded) =>
      sampledInputs(network, { ids, encoded, targets, share: sampled }, ctx);
    return pairLoss(network, tensors, ctx, options, mix);
  });
}

/** What the encoder and the decoder read, and the targets. */
function pairArrays(
  network: EncoderDecoderModel,
  { sources, sourceShape, sourceMask, targets, shape }: PairBatch,
): BatchArrays {
  const [rows, sourceLength, targetLength] = shape;
  checkShape('encoderDecoderLoss: sources', [sources.length], [rows * sourceLength]);
  checkShape('encoderDecoderLoss: targets', [targets.length], [rows * targetLength]);
  if (targets.every((target) => target === ignoredTarget)) {
    throw new InputError('encoderDecoderLoss: every target is ignored');
  }
  const read = sourceShape ?? [sourceLength];
  checkSources(network, { sources, sourceShape, shape });
  const space = vocabularyOf(network.vocabSize, 'target', ignoredTarget);
  checkIdValues(targets, space, [rows, targetLength]);
  // The targets one place later, after the start token.
  const before = targets.map((_, i) => {
    const last = i % targetLength === 0 ? network.startId : targets[i - 1]!;
    return last === ignoredTarget ? network.startId : last;
  });
  return {
    sources: { values: sources, shape: [rows, ...read] },
    ...(sourceMask && { sourceMask: { values: sourceMask, shape: [rows, sourceLength] } }),
    before: { values: before, shape: [rows, targetLength] },
    targets: { values: targets, shape: [targets.length] },
  };
}

/** Throws for ids where the model reads none, for values of another number, and for ids outside the vocabulary. */
function checkSources(
  { sourceVocabSize, vocabSize }: EncoderDecoderModel,
  {
    sources,
    sourceShape,
    shape: [rows, length],
  }: Pick<PairBatch, 'sources' | 'sourceShape' | 'shape'>,
): void {
  if (sourceShape) {
    const values = sourceShape.reduce((product, size) => product * size, 1);
    checkShape('encoderDecoderLoss: sourceShape', [values], [length]);
  }
  if (sources instanceof Float32Array !== (sourceShape !== undefined)) {
    throw new InputError(
      `encoderDecoderLoss: sources are ${sourceShape ? 'Int32Array with' : 'Float32Array without'} sourceShape; expected ids, or float32 values and the shape of each`,
    );
  }
  if (sourceShape) return;
  if (sourceVocabSize === 0) {
    throw new InputError(
      'encoderDecoderLoss: sources are ids, which the model does not read; expected Float32Array and sourceShape',
    );
  }
  checkIdValues(sources as Int32Array, vocabularyOf(sourceVocabSize ?? vocabSize), [rows, length]);
}

/** Replaces some of what the decoder reads. */
type Mix = (ids: tf.Tensor2D, encoded: Encoded) => tf.Tensor2D;

function pairLoss(
  network: EncoderDecoderModel,
  tensors: BatchTensors,
  ctx: ForwardContext | undefined,
  options: LossOptions,
  mix?: Mix,
): tf.Scalar {
  const labels = tensors.targets as tf.Tensor1D;
  const { head } = network;
  const matrix = headMatrix(head);
  // A tap may want to see the logits, which otherwise never exist all at once.
  if (!head || !matrix || isTapped(ctx, '', 'logits')) {
    return meanCrossEntropy(targetScores(network, tensors, ctx, mix), labels, options);
  }
  const { ids, encoded } = decoderInputs(network, tensors, ctx, mix);
  const hidden = head.hidden(ids, encoded, ctx).reshape<tf.Tensor2D>([labels.size, -1]);
  return headLoss(hidden, matrix, labels, { ...options, ignoreIndex: ignoredTarget });
}

/** Scores of each target token, from the source and the targets before it. @returns `[B, Tt, V]` */
function targetScores(
  network: EncoderDecoderModel,
  tensors: BatchTensors,
  ctx?: ForwardContext,
  mix?: Mix,
): tf.Tensor {
  const { ids, encoded } = decoderInputs(network, tensors, ctx, mix);
  return network.decode(ids, encoded, ctx);
}

/** What the decoder reads: the encoded source, and the targets one place later, `[B, Tt]`. */
function decoderInputs(
  network: EncoderDecoderModel,
  { sources, sourceMask, before }: BatchTensors,
  ctx?: ForwardContext,
  mix: Mix = (ids) => ids,
): { ids: tf.Tensor2D; encoded: Encoded } {
  const attended = sourceMask ? { ...ctx, attentionMask: sourceMask } : ctx;
  const encoded = network.encode(sources!, attended);
  return { ids: mix(before as tf.Tensor2D, encoded), encoded };
}
