import { type DecoderHead, initializers, type Layer, type ParamStore } from '@headwise/core';
import { softCap } from '@headwise/kernels/internal';
import { type Embedding, Linear } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import { initializersOf } from './initializers.js';
import type { LanguageModelHead, ModelConfiguration } from './model-configuration.js';

/** Scores of tokens, and how they are made: `inputs(x) Wᵀ + b`. */
export interface TokenScores extends Layer {
  readonly head: Omit<DecoderHead, 'hidden'>;
  /** What the scores are products with, `[B, T, D]`. */
  inputs(x: tf.Tensor): tf.Tensor;
}

/**
 * Scores of tokens, `[B, T, D] → [B, T, V]`: products with a table of tokens or with a matrix `head`.
 *
 * Parameters: `head` where the head is not tied, and, where it has a bias, `logitsBias` `[1, V]` or `head.bias` `[V]`.
 */
export function makeTokenScores(
  params: ParamStore,
  config: ModelConfiguration,
  { tied, scale = 1, softCap: cap, bias: biased = false }: LanguageModelHead,
  tokens: Embedding,
  biasOf: 'head' | 'logits' = 'logits',
): TokenScores {
  const { dim, vocabSize } = config;
  const makeBias = () =>
    biasOf === 'head'
      ? params.at('head').get('bias', [vocabSize], initializers.zeros)
      : params.get('logitsBias', [1, vocabSize], initializers.zeros);
  const bias = biased ? makeBias() : undefined;
  const capped = (scores: tf.Tensor) => (cap === undefined ? scores : softCap(scores, cap));
  const inputs = (x: tf.Tensor) => (scale === 1 ? x : x.mul<tf.Tensor>(scale));
  if (tied) {
    return {
      head: {
        get weight() {
          return tokens.weight;
        },
        bias,
        softCap: cap,
      },
      inputs,
      forward: (x) =>
        tf.tidy(() => capped(tokens.scores(inputs(x), bias?.reshape<tf.Tensor1D>([-1])))),
    };
  }
  const { head: init } = initializersOf(config);
  const options = { in: dim, out: vocabSize, bias: false, layout: 'out-in', init } as const;
  const head = new Linear(params.at('head'), options);
  const matrix = params.at('head').matrix('weight', [vocabSize, dim], 'out-in', init);
  return {
    head: {
      get weight() {
        return matrix.variable ?? matrix.packed!;
      },
      bias,
      softCap: cap,
      path: 'head',
    },
    inputs,
    forward: (x, ctx) =>
      tf.tidy(() => {
        const scores = head.forward(inputs(x), ctx);
        return capped(bias ? scores.add(bias) : scores);
      }),
  };
}
