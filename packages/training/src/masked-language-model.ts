import type { EncoderModel, ForwardContext } from '@headwise/core';
import { isTapped } from '@headwise/core/internal';
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
 * Where the network can (`logitsAt`), its head computes the scores of the masked positions alone.
 *
 * @param network an encoder with a head for masked tokens, whose output is `logits` `[B, T, V]`
 * @see Devlin et al. 2019, https://arxiv.org/abs/1810.04805
 */
export function maskedLanguageModel(
  network: EncoderModel,
  options: LossOptions = {},
): Objective<MaskedTokenBatch> {
  const name = 'masked language modeling';
  /** Scores of the masked tokens, or of all where the network gives no others, and what they are scores of. */
  const scored = (
    batch: MaskedTokenBatch,
    ctx?: ForwardContext,
  ): readonly [logits: tf.Tensor, targets: tf.Tensor] => {
    const { targets, shape } = batch;
    const inputs = encoderInputs(name, batch, ctx);
    const masked = [...targets.keys()].filter((i) => targets[i] !== ignoredTarget);
    // A tap may want to see the logits of every position.
    if (!network.logitsAt || masked.length === 0 || isTapped(ctx, '', 'logits')) {
      const logits = outputOf(name, network.forward(inputs.ids, inputs.ctx), 'logits');
      return [logits, tf.tensor2d(targets, [...shape], 'int32')];
    }
    const logits = network.logitsAt(inputs.ids, tf.tensor1d(masked, 'int32'), inputs.ctx);
    const predicted = masked.map((i) => targets[i]!);
    return [logits, tf.tensor1d(predicted, 'int32')];
  };
  return {
    name,
    predicted: ({ targets }) => countTargets(targets),
    loss: (batch, ctx) => {
      const space = vocabularyOf(network.vocabSize, 'target', ignoredTarget);
      checkIdValues(batch.targets, space, batch.shape);
      return tf.tidy(() => meanCrossEntropy(...scored(batch, ctx), options));
    },
    correct: (batch) => tf.tidy(() => countCorrect(...scored(batch))),
  };
}
