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
 * Where the network can (`forwardAt`), its head computes the scores of the masked positions alone.
 *
 * @param network an encoder with a head for masked tokens, whose output is `logits` `[B, T, V]`
 * @see Devlin et al. 2019, https://arxiv.org/abs/1810.04805
 */
export function maskedLanguageModel(
  network: EncoderModel,
  options: LossOptions = {},
): Objective<MaskedTokenBatch> {
  const name = 'masked language modeling';
  const { count, check, read, correct } = maskedTokens(name, network, 'logits', options);
  return {
    name,
    predicted: count,
    loss: (batch, ctx) => {
      check(batch);
      return tf.tidy(() => read(batch, ctx).mean);
    },
    correct,
  };
}

/** The loss over masked tokens, for objectives that have it. */
export interface MaskedTokens {
  /** How many tokens are masked. */
  count(batch: MaskedTokenBatch): number;
  /** @throws InputError naming the first target outside the vocabulary and its position */
  check(batch: MaskedTokenBatch): void;
  /** The mean cross-entropy over masked tokens, 0 where there is none, and what the network's head gave. */
  read(
    batch: MaskedTokenBatch,
    ctx?: ForwardContext,
  ): { mean: tf.Scalar; outputs: tf.NamedTensorMap };
  /** How many masked tokens are the likeliest at their position. A scalar. */
  correct(batch: MaskedTokenBatch): tf.Scalar;
}

/**
 * The loss over masked tokens of an encoder.
 *
 * @param name of the objective in messages
 * @param key the name of the head's output that scores tokens
 */
export function maskedTokens(
  name: string,
  network: EncoderModel,
  key: 'logits' | 'tokenLogits',
  options: LossOptions,
): MaskedTokens {
  /** Scores of the masked tokens, or of all where the network gives no others, and what they are scores of. */
  const scored = (batch: MaskedTokenBatch, ctx?: ForwardContext) => {
    const { targets, shape } = batch;
    const inputs = encoderInputs(name, batch, ctx);
    const masked = [...targets.keys()].filter((i) => targets[i] !== ignoredTarget);
    // A tap may want to see the logits of every position.
    if (!network.forwardAt || masked.length === 0 || isTapped(ctx, '', 'logits')) {
      const outputs = network.forward(inputs.ids, inputs.ctx);
      const labels = tf.tensor2d(targets, [...shape], 'int32');
      return { outputs, scores: outputOf(name, outputs, key), labels };
    }
    const outputs = network.forwardAt(inputs.ids, tf.tensor1d(masked, 'int32'), inputs.ctx);
    const labels = tf.tensor1d(
      masked.map((i) => targets[i]!),
      'int32',
    );
    return { outputs, scores: outputOf(name, outputs, key), labels };
  };
  return {
    count: ({ targets }) => countTargets(targets),
    check({ targets, shape }) {
      checkIdValues(targets, vocabularyOf(network.vocabSize, 'target', ignoredTarget), shape);
    },
    read(batch, ctx) {
      const { outputs, scores, labels } = scored(batch, ctx);
      return { mean: meanCrossEntropy(scores, labels, options), outputs };
    },
    correct: (batch) =>
      tf.tidy(() => {
        const { scores, labels } = scored(batch);
        return countCorrect(scores, labels);
      }),
  };
}
