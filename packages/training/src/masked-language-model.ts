import type { EncoderModel, ForwardContext } from '@headwise/core';
import { checkIdValues, vocabularyOf } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import {
  countCorrect,
  countTargets,
  ignoredTarget,
  type LossOptions,
  meanCrossEntropy,
} from './cross-entropy.js';
import { type EncoderBatch, encoderInputs, outputOf } from './encoder-inputs.js';
import type { Objective } from './objective.js';

/** Inputs with masked tokens, row-major `[B, T]`, as `maskTokens` of `@headwise/data` makes them. */
export interface MaskedTokenBatch extends EncoderBatch {
  /** What each masked token was; `ignoredTarget` elsewhere. */
  readonly targets: Int32Array;
}

/**
 * Predicts what masked tokens were from the tokens on both sides: the mean over them, in nats per token.
 *
 * @param network an encoder with a head for masked tokens, whose output is `logits` `[B, T, V]`
 * @see Devlin et al. 2019, https://arxiv.org/abs/1810.04805
 */
export function maskedLanguageModel(
  network: EncoderModel,
  options: LossOptions = {},
): Objective<MaskedTokenBatch> {
  const name = 'masked language modeling';
  const logitsOf = (batch: EncoderBatch, ctx?: ForwardContext) => {
    const inputs = encoderInputs(name, batch, ctx);
    return outputOf(name, network.forward(inputs.ids, inputs.ctx), 'logits');
  };
  const targetsOf = ({ targets, shape }: MaskedTokenBatch) =>
    tf.tensor2d(targets, [...shape], 'int32');
  return {
    name,
    predicted: ({ targets }) => countTargets(targets),
    loss: (batch, ctx) => {
      const space = vocabularyOf(network.vocabSize, 'target', ignoredTarget);
      checkIdValues(batch.targets, space, batch.shape);
      return tf.tidy(() => meanCrossEntropy(logitsOf(batch, ctx), targetsOf(batch), options));
    },
    correct: (batch) => tf.tidy(() => countCorrect(logitsOf(batch), targetsOf(batch))),
  };
}
