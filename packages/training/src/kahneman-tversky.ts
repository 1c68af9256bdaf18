import { checkShape, type LanguageModel } from '@headwise/core';
import { stopGradient } from '@headwise/core/internal';
import { checkIdValues, vocabularyOf } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import type { TokenBatch } from './causal-language-model.js';
import { ignoredTarget } from './cross-entropy.js';
import { sequenceLogProbabilities } from './log-probabilities.js';
import type { Objective } from './objective.js';
import { checkPositive, checkReference, type PreferenceBatch } from './preferences.js';

/**
 * Completions that are good or bad, each by itself.
 *
 * Rows 0 to B − 1 are the completions, rows B to 2B − 1 the same prompts with the completions of others, `[2B, T]`, which estimate
 * how far the model is from the reference.
 */
export interface JudgedBatch extends PreferenceBatch {
  /** `[B]`, 1 for a good completion, 0 for a bad one. */
  readonly desirable: Int32Array;
}

export interface KahnemanTverskyOptions {
  /** How strongly the model is held to the reference; default 0.1. */
  beta?: number | undefined;
  /** The weight of good completions; default 1. */
  desirable?: number | undefined;
  /** The weight of bad completions; default 1. */
  undesirable?: number | undefined;
}

/**
 * Kahneman–Tversky optimization: learns from single completions that are good or bad, with prospect theory's value.
 *
 * `λ (1 − σ(±β (log π(y)/π_ref(y) − z)))`, the mean over completions, where `z` is the mean log-ratio of the mismatched rows, at least
 * 0 and without gradient. Accumulated batches estimate `z` each by its own rows.
 *
 * @see Ethayarajh et al. 2024, https://arxiv.org/abs/2402.01306
 */
export function kahnemanTversky(
  network: LanguageModel,
  { beta = 0.1, desirable = 1, undesirable = 1 }: KahnemanTverskyOptions = {},
): Objective<JudgedBatch> {
  const name = 'Kahneman-Tversky optimization';
  for (const [key, value] of Object.entries({ beta, desirable, undesirable })) {
    checkPositive(`${name}: ${key}`, value);
  }
  return {
    name,
    predicted: ({ desirable }) => desirable.length,
    loss: (batch, ctx) => {
      checkReference(name, batch);
      // The halves of the batch are computed one after the other, and would name places of their own.
      const { vocabSize } = network;
      checkIdValues(batch.inputs, vocabularyOf(vocabSize), batch.shape);
      checkIdValues(batch.targets, vocabularyOf(vocabSize, 'target', ignoredTarget), batch.shape);
      const rows = batch.shape[0] / 2;
      checkShape(`${name}: desirable`, [batch.desirable.length], [rows]);
      const of = 'the two judgements';
      checkIdValues(batch.desirable, { name: 'judgement', count: 2, of });
      return tf.tidy(() => {
        const reference = tf.tensor1d(batch.reference);
        const baseline = stopGradient(() =>
          sequenceLogProbabilities(network, half(batch, rows, 2 * rows), ctx)
            .sub(reference.slice(rows, rows))
            .mean()
            .maximum(0),
        );
        const ratios = sequenceLogProbabilities(network, half(batch, 0, rows), ctx).sub(
          reference.slice(0, rows),
        );
        const signs = tf.tensor1d(Array.from(batch.desirable, (good) => (good ? 1 : -1)));
        const weights = tf.tensor1d(
          Array.from(batch.desirable, (good) => (good ? desirable : undesirable)),
        );
        const value = tf.sigmoid(ratios.sub(baseline).mul(signs).mul(beta));
        return tf.sub(1, value).mul(weights).mean() as tf.Scalar;
      });
    },
  };
}

/** Some rows of a batch. */
function half({ inputs, targets, shape }: TokenBatch, from: number, to: number): TokenBatch {
  const [start, end] = [from * shape[1], to * shape[1]];
  return {
    inputs: inputs.subarray(start, end),
    targets: targets.subarray(start, end),
    shape: [to - from, shape[1]],
  };
}
