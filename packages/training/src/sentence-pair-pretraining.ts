import { checkShape, type EncoderModel, type ForwardContext } from '@headwise/core';
import { checkIdValues, vocabularyOf } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import {
  countCorrect,
  countTargets,
  ignoredTarget,
  type LossOptions,
  meanCrossEntropy,
} from './cross-entropy.js';
import { encoderInputs, outputOf } from './encoder-inputs.js';
import type { MaskedTokenBatch } from './masked-language-model.js';
import type { Objective } from './objective.js';

/** Pairs of sentences with masked tokens, as `maskPairs` of `@headwise/data` makes them. */
export interface MaskedPairBatch extends MaskedTokenBatch {
  /** `[B]`: 0 where the second part belongs after the first, 1 where it does not; `ignoredTarget` where there is no label. */
  readonly labels: Int32Array;
}

/**
 * Predicts masked tokens, and whether the second part of each pair belongs after the first: the sum of the two mean
 * cross-entropies, in nats.
 *
 * The labels are those of next-sentence prediction (BERT) or of sentence order (ALBERT). Accumulated batches count by their masked tokens;
 * `correct` counts those alone.
 *
 * @param network an encoder with both heads, such as `BertForPreTraining`: `tokenLogits` `[B, T, V]`, `nextSentenceLogits` `[B, 2]`
 * @see Devlin et al. 2019, https://arxiv.org/abs/1810.04805; Lan et al. 2020, https://arxiv.org/abs/1909.11942
 */
export function sentencePairPretraining(
  network: EncoderModel,
  options: LossOptions = {},
): Objective<MaskedPairBatch> {
  const name = 'sentence-pair pre-training';
  const outputsOf = (batch: MaskedPairBatch, ctx?: ForwardContext) => {
    const inputs = encoderInputs(name, batch, ctx);
    return network.forward(inputs.ids, inputs.ctx);
  };
  const targetsOf = ({ targets, shape }: MaskedPairBatch) =>
    tf.tensor2d(targets, [...shape], 'int32');
  return {
    name,
    predicted: ({ targets }) => countTargets(targets),
    loss: (batch, ctx) => {
      checkShape(`${name}: labels`, [batch.labels.length], [batch.shape[0]]);
      const space = vocabularyOf(network.vocabSize, 'target', ignoredTarget);
      checkIdValues(batch.targets, space, batch.shape);
      const of = 'the two labels of pairs';
      checkIdValues(batch.labels, { name: 'label', count: 2, of, ignored: ignoredTarget });
      return tf.tidy(() => {
        const outputs = outputsOf(batch, ctx);
        const labels = tf.tensor1d(batch.labels, 'int32');
        const logits = outputOf(name, outputs, 'tokenLogits');
        const tokens = meanCrossEntropy(logits, targetsOf(batch), options);
        const pairs = meanCrossEntropy(outputOf(name, outputs, 'nextSentenceLogits'), labels);
        return tokens.add(pairs) as tf.Scalar;
      });
    },
    correct: (batch) =>
      tf.tidy(() =>
        countCorrect(outputOf(name, outputsOf(batch), 'tokenLogits'), targetsOf(batch)),
      ),
  };
}
