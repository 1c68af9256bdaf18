import { type ForwardContext, InputError, type LanguageModel } from '@headwise/core';
import { isTapped } from '@headwise/core/internal';
import {
  type CrossEntropyOptions,
  chunkedCrossEntropy,
  sparseCrossEntropy,
} from '@headwise/kernels';
import { checkIds, checkIdValues, headMatrix, vocabularyOf } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';

/** The target of a position that is not to be predicted: padding, a prompt. */
export const ignoredTarget = -100;

/** What a causal language model sees and what it should say next, row-major `[B, T]`. */
export interface TokenBatch {
  readonly inputs: Int32Array;
  /** `ignoredTarget` where nothing is to be predicted. */
  readonly targets: Int32Array;
  readonly shape: readonly [batch: number, tokens: number];
}

/** Terms added to the training loss. */
export type LossOptions = Pick<CrossEntropyOptions, 'labelSmoothing' | 'zLoss'>;

/**
 * The mean negative log-likelihood of the next token, in nats per token.
 *
 * Where the model's head is one matrix, the logits exist only a few rows at a time.
 *
 * @returns a scalar
 * @throws InputError where every target is ignored, and naming the first id or target outside the vocabulary, its
 * position and `V`
 */
export function languageModelLoss(
  network: LanguageModel,
  batch: TokenBatch,
  ctx?: ForwardContext,
  options: LossOptions = {},
): tf.Scalar {
  const predicted = predictedTokens(batch);
  if (predicted === 0) throw new InputError('languageModelLoss: every target is ignored');
  const space = vocabularyOf(network.vocabSize, 'target', ignoredTarget);
  checkIdValues(batch.targets, space, batch.shape);
  return tf.tidy(() => {
    const [rows, length] = batch.shape;
    const ids = tf.tensor2d(batch.inputs, [rows, length], 'int32');
    const targets = tf.tensor1d(batch.targets, 'int32');
    const all = { ...options, ignoreIndex: ignoredTarget };
    const { head } = network;
    // A tap may want to see the logits, which otherwise never exist all at once.
    const weight = headMatrix(head);
    if (head && weight && !isTapped(ctx, '', 'logits')) {
      const hidden = head.hidden(ids, ctx).reshape<tf.Tensor2D>([rows * length, -1]);
      return chunkedCrossEntropy(hidden, weight, targets, all);
    }
    const logits = network.forward(ids, ctx).reshape<tf.Tensor2D>([-1, network.vocabSize]);
    return sparseCrossEntropy(logits, targets, all).sum().div(predicted) as tf.Scalar;
  });
}

/**
 * The mean negative log-likelihood of labels, of those that are not ignored: the loss of a head that
 * classifies sequences or tokens, or says what masked tokens were.
 *
 * @param logits `[..., K]`
 * @param labels `[...]`, int32, in [0, K) or `ignoredTarget`
 * @returns a scalar; 0 where every label is ignored
 * @throws ShapeError where the number of labels is not that of rows; InputError naming the first label outside, its
 * position and `K`
 */
export function meanCrossEntropy(
  logits: tf.Tensor,
  labels: tf.Tensor,
  options: LossOptions = {},
): tf.Scalar {
  const count = logits.shape.at(-1)!;
  checkIds(labels, {
    name: 'label',
    count,
    of: `the ${count} classes of the logits`,
    ignored: ignoredTarget,
  });
  return tf.tidy(() => {
    const rows = logits.reshape<tf.Tensor2D>([-1, count]);
    const flat = labels.flatten();
    const losses = sparseCrossEntropy(rows, flat, { ...options, ignoreIndex: ignoredTarget });
    const counted = flat.notEqual(ignoredTarget).toFloat().sum().maximum(1);
    return losses.sum().div(counted) as tf.Scalar;
  });
}

/** The number of targets that are not ignored. */
export function predictedTokens({ targets }: TokenBatch): number {
  return targets.reduce((count, target) => (target === ignoredTarget ? count : count + 1), 0);
}
