import { initializers, type Layer, type ParamStore } from '@headwise/core';
import { type Embedding, Linear } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import { initializersOf } from './initializers.js';
import type { LanguageModelHead, ModelConfiguration } from './model-configuration.js';

/**
 * Scores of tokens, `[B, T, D] → [B, T, V]`: products with a table of tokens or with a matrix `head`.
 *
 * Parameters: `head` where the head is not tied, and `logitsBias` `[1, V]` where it has a bias.
 */
export function makeTokenScores(
  params: ParamStore,
  config: ModelConfiguration,
  { tied, scale = 1, bias: biased = false }: LanguageModelHead,
  tokens: Embedding,
): Layer {
  const { dim, vocabSize } = config;
  const bias = biased ? params.get('logitsBias', [1, vocabSize], initializers.zeros) : undefined;
  const scaled = (x: tf.Tensor) => (scale === 1 ? x : x.mul(scale));
  if (tied) {
    return {
      forward: (x) => tf.tidy(() => tokens.scores(scaled(x), bias?.reshape<tf.Tensor1D>([-1]))),
    };
  }
  const { head: init } = initializersOf(config);
  const options = { in: dim, out: vocabSize, bias: false, layout: 'out-in', init } as const;
  const head = new Linear(params.at('head'), options);
  return {
    forward: (x, ctx) =>
      tf.tidy(() => {
        const scores = head.forward(scaled(x), ctx);
        return bias ? scores.add(bias) : scores;
      }),
  };
}
