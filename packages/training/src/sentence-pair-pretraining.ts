import { checkShape, type EncoderModel } from '@headwise/core';
import { checkIdValues } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import {
  countTargets,
  ignoredTarget,
  type LossOptions,
  meanCrossEntropy,
} from './cross-entropy.js';
import { outputOf } from './encoder-inputs.js';
import { sumOfTerms } from './loss-terms.js';
import { type MaskedTokenBatch, maskedTokens } from './masked-language-model.js';
import type { LossTerms, Objective } from './objective.js';

/** Pairs of sentences with masked tokens, as `maskPairs` of `@headwise/data` makes them. */
export interface MaskedPairBatch extends MaskedTokenBatch {
  /** `[B]`: 0 where the second part belongs after the first, 1 where it does not; `ignoredTarget` where there is no label. */
  readonly labels: Int32Array;
}

/**
 * Predicts masked tokens, and whether the second part of each pair belongs after the first: the sum of the two mean
 * cross-entropies, in nats.
 *
 * The labels are those of next-sentence prediction (BERT) or of sentence order (ALBERT). The first term is the mean over masked tokens, the
 * second over labelled pairs, also of accumulated batches; `correct` counts tokens alone. Where the network can (`forwardAt`), its
 * head computes the scores of the masked positions alone.
 *
 * @param network an encoder with both heads, such as `BertForPreTraining`: `tokenLogits` `[B, T, V]`, `nextSentenceLogits` `[B, 2]`
 * @see Devlin et al. 2019, https://arxiv.org/abs/1810.04805; Lan et al. 2020, https://arxiv.org/abs/1909.11942
 */
export function sentencePairPretraining(
  network: EncoderModel,
  options: LossOptions = {},
): Objective<MaskedPairBatch> {
  const name = 'sentence-pair pre-training';
  const { count, check, read, correct } = maskedTokens(name, network, 'tokenLogits', options);
  const terms: LossTerms<MaskedPairBatch> = {
    counts: (batch) => [count(batch), countTargets(batch.labels)],
    means(batch, ctx) {
      checkShape(`${name}: labels`, [batch.labels.length], [batch.shape[0]]);
      check(batch);
      const of = 'the two labels of pairs';
      checkIdValues(batch.labels, { name: 'label', count: 2, of, ignored: ignoredTarget });
      return tf.tidy(() => {
        const { mean, outputs } = read(batch, ctx);
        const logits = outputOf(name, outputs, 'nextSentenceLogits');
        return [mean, meanCrossEntropy(logits, tf.tensor1d(batch.labels, 'int32'))];
      });
    },
  };
  return { name, predicted: count, loss: sumOfTerms(terms), terms, correct };
}
