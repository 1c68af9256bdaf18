import type { EncoderModel } from '@headwise/core';
import { checkIdValues, vocabularyOf } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import {
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
  return {
    name,
    predicted: ({ targets }) => countTargets(targets),
    loss: (batch, ctx) => {
      const space = vocabularyOf(network.vocabSize, 'target', ignoredTarget);
      checkIdValues(batch.targets, space, batch.shape);
      return tf.tidy(() => {
        const inputs = encoderInputs(name, batch, ctx);
        const logits = outputOf(name, network.forward(inputs.ids, inputs.ctx), 'logits');
        return meanCrossEntropy(
          logits,
          tf.tensor2d(batch.targets, [...batch.shape], 'int32'),
          options,
        );
      });
    },
  };
}
