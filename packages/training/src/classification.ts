import { checkShape, type EncoderModel, type ForwardContext } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { countCorrect, countTargets, type LossOptions, meanCrossEntropy } from './cross-entropy.js';
import { type EncoderBatch, encoderArrays, encoderReads, outputOf } from './encoder-inputs.js';
import type { BatchTensors, Objective } from './objective.js';
import { batchLoss, ownLoss, tensorsOf } from './tensor-loss.js';

/** Texts with a class for each of them, or for each of their tokens. */
export interface LabelledBatch extends EncoderBatch {
  /** `[B]`, or `[B, T]` for the classes of tokens; `ignoredTarget` where there is no label. */
  readonly labels: Int32Array;
}

/**
 * Tells the class of a sequence: the mean cross-entropy over sequences, in nats.
 *
 * @param network with a head whose output is `logits` `[B, K]`
 * @see Devlin et al. 2019, section 4.1, https://arxiv.org/abs/1810.04805
 */
export function sequenceClassification(
  network: EncoderModel,
  options: LossOptions = {},
): Objective<LabelledBatch> {
  return classification('sequence classification', network, options, ({ shape }) => [shape[0]]);
}

/**
 * Tells the class of each token, such as names and their kinds: the mean cross-entropy over labelled tokens, in nats.
 *
 * @param network with a head whose output is `logits` `[B, T, K]`
 * @see Devlin et al. 2019, section 5.3, https://arxiv.org/abs/1810.04805
 */
export function tokenClassification(
  network: EncoderModel,
  options: LossOptions = {},
): Objective<LabelledBatch> {
  return classification('token classification', network, options, ({ shape }) => [...shape]);
}

function classification(
  name: string,
  network: EncoderModel,
  given: LossOptions,
  shapeOf: (batch: LabelledBatch) => number[],
): Objective<LabelledBatch> {
  const options = { ...given };
  /** `[B, K]` or `[B, T, K]` */
  const logitsOf = (tensors: BatchTensors, ctx?: ForwardContext) => {
    const { labels } = tensors;
    const inputs = encoderReads(tensors, ctx);
    const logits = outputOf(name, network.forward(inputs.ids, inputs.ctx), 'logits');
    checkShape(`${name}: logits`, logits.shape, [...labels!.shape, 'K']);
    return logits;
  };
  const tensorLoss = ownLoss<LabelledBatch>({
    arrays(batch) {
      const { labels } = batch;
      const shape = shapeOf(batch);
      checkShape(`${name}: labels`, [labels.length], [tf.util.sizeFromShape(shape)]);
      return { ...encoderArrays(name, batch), labels: { values: labels, shape } };
    },
    loss: (tensors, ctx) => meanCrossEntropy(logitsOf(tensors, ctx), tensors.labels!, options),
  });
  return {
    name,
    predicted: ({ labels }) => countTargets(labels),
    loss: batchLoss(tensorLoss),
    tensorLoss,
    correct: (batch) =>
      tf.tidy(() => {
        const tensors = tensorsOf(tensorLoss.arrays(batch)!);
        return countCorrect(logitsOf(tensors), tensors.labels!);
      }),
  };
}
