import {
  type EncoderModel,
  type ForwardContext,
  InputError,
  type Network,
  type ParamStore,
  tapped,
} from '@headwise/core';
import { type Embedding, Linear } from '@headwise/layers';
import {
  type BlockParts,
  CrossDecoder,
  Encoder,
  PostNormCrossBlock,
  PreNormCrossBlock,
} from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';
import { buildDecoder, HiddenStates, SequenceClassifier, TokenStack } from './decoder-model.js';
import { EncoderDecoder } from './encoder-decoder.js';
import type { ModelConfiguration } from './model-configuration.js';
import { initializers, makeBlock, makeBlockParts, makeCrossAttention, makeNorm } from './parts.js';
import { makeAttentionPosition } from './positions.js';
import { makeTokens, TokenInput } from './token-input.js';

/** A model of the topology that a configuration names. */
export function buildModel(params: ParamStore, config: ModelConfiguration): Network {
  switch (config.topology) {
    case 'decoder':
      return buildDecoder(params, config);
    case 'encoder':
      return buildEncoder(params, config);
    case 'encoder-decoder':
      return buildEncoderDecoder(params, config);
  }
}

function buildEncoder(params: ParamStore, config: ModelConfiguration): EncoderModel {
  const { head } = config;
  if (head.kind === 'none') return new HiddenStates(params, config);
  if (head.kind === 'sequence-classification') return new SequenceClassifier(params, config, head);
  return new TokenScorer(params, config);
}

/** An encoder that scores the vocabulary at every token: a masked language model. */
class TokenScorer implements EncoderModel<{ logits: tf.Tensor }> {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly #stack: TokenStack;
  readonly #scores: (x: tf.Tensor, ctx?: ForwardContext) => tf.Tensor;

  constructor(params: ParamStore, config: ModelConfiguration) {
    this.vocabSize = config.vocabSize;
    this.maxLength = config.maxLength;
    this.#stack = new TokenStack(params, config);
    this.#scores = makeScores(params, config, this.#stack.tokens as Embedding);
  }

  encode(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return this.#stack.forward(ids, ctx);
  }

  /** @param ids `[B, T]`, int32 @returns logits `[B, T, V]` */
  forward(ids: tf.Tensor, ctx?: ForwardContext): { logits: tf.Tensor } {
    return tf.tidy(() => {
      const scores = this.#scores(this.encode(ids, ctx), ctx);
      return { logits: tapped(ctx, '', 'logits', scores) };
    });
  }
}

/** Scores of tokens: by their own table, or by a matrix `head`. */
function makeScores(
  params: ParamStore,
  config: ModelConfiguration,
  tokens: Embedding,
): (x: tf.Tensor, ctx?: ForwardContext) => tf.Tensor {
  const { head, dim, vocabSize } = config;
  if (head.kind === 'language-model' && head.tied) return (x) => tokens.scores(x);
  const { init } = initializers(config);
  const options = { in: dim, out: vocabSize, bias: false, layout: 'out-in', init } as const;
  const linear = new Linear(params.at('head'), options);
  return (x, ctx) => linear.forward(x, ctx);
}

function buildEncoderDecoder(params: ParamStore, config: ModelConfiguration): EncoderDecoder {
  const { layers, block, finalNorm = block !== 'post-norm' } = config;
  const source = { ...config, topology: 'encoder' } as const;
  const target = { ...config, topology: 'decoder' } as const;
  const Cross = { 'pre-norm': PreNormCrossBlock, 'post-norm': PostNormCrossBlock }[block as string];
  if (!Cross) {
    throw new InputError(
      `'block' is "${block}"; an encoder-decoder takes "pre-norm" or "post-norm"`,
    );
  }
  const tokens = makeTokens(params.at('tokens'), config);
  const [from, to] = [params.at('encoder'), params.at('decoder')];
  const [reading, writing] = [
    makeAttentionPosition(from.at('positions'), source),
    makeAttentionPosition(to.at('positions'), target),
  ];
  const scores = makeScores(params, config, tokens as Embedding);
  return new EncoderDecoder({
    vocabSize: config.vocabSize,
    maxLength: config.maxLength,
    startId: config.startId ?? 0,
    embedSource: new TokenInput(from, source, tokens),
    encoder: new Encoder({
      blocks: Array.from({ length: layers }, (_, i) =>
        makeBlock(from.at('blocks').at(i), source, i, reading),
      ),
      norm: finalNorm ? makeNorm(from.at('norm'), source) : undefined,
    }),
    embedTarget: new TokenInput(to, target, tokens),
    decoder: new CrossDecoder({
      blocks: Array.from({ length: layers }, (_, i) => {
        const own = to.at('blocks').at(i);
        return new Cross({
          ...(makeBlockParts(own, target, i, writing) as BlockParts),
          crossNorm: makeNorm(own.at('crossNorm'), target),
          cross: makeCrossAttention(own.at('cross'), target),
        });
      }),
      norm: finalNorm ? makeNorm(to.at('norm'), target) : undefined,
    }),
    scores: { forward: scores },
  });
}
