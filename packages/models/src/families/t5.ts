import { CrossAttention, causal, MultiHeadAttention } from '@headwise/attention';
import { type EncoderDecoderModel, type Layer, normal, type ParamStore } from '@headwise/core';
import {
  Dropout,
  Embedding,
  FeedForward,
  GatedFeedForward,
  Linear,
  RMSNorm,
} from '@headwise/layers';
import { T5Position } from '@headwise/positions';
import { CrossDecoder, Encoder, PreNormBlock, PreNormCrossBlock } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { EncoderDecoder } from '../build/encoder-decoder.js';
import type { KeyTable, ModelFamily } from '../family.js';
import { depth, rate, size } from '../fields.js';
import { type ActivationName, activationNames, activationOf } from './shared/activations.js';
import { settings } from './shared/settings.js';

const feedForwards: readonly (ActivationName | `gated-${ActivationName}`)[] =
  activationNames.flatMap((name) => [name, `gated-${name}`] as const);

/** Hugging Face's `T5Config`; other keys are kept as they are. */
export interface T5Config {
  [key: string]: unknown;
  model_type: 't5';
  architectures: ['T5ForConditionalGeneration'];
  /** `V` */
  vocab_size: number;
  /** `D` */
  d_model: number;
  /** `Dh`, which need not be `D / H`. */
  d_kv: number;
  /** `F` */
  d_ff: number;
  num_layers: number;
  /** Null or absent: as many as `num_layers`. */
  num_decoder_layers?: number | null | undefined;
  /** `H` */
  num_heads: number;
  relative_attention_num_buckets: number;
  /** From this distance on all share the last bucket. */
  relative_attention_max_distance: number;
  dropout_rate: number;
  layer_norm_epsilon: number;
  /** What the standard deviations of the initial weights are multiplied by. */
  initializer_factor: number;
  /** The activation; version 1.1 and FLAN-T5 have `gated-gelu`. */
  feed_forward_proj: (typeof feedForwards)[number];
  pad_token_id: number;
  /** Default `pad_token_id`. */
  decoder_start_token_id?: number | null | undefined;
  /** Where it is there, the activation, above what `feed_forward_proj` says. */
  dense_act_fn?: ActivationName | undefined;
  /** Where it is there, whether hidden values are gated, above what `feed_forward_proj` says. */
  is_gated_act?: boolean | undefined;
  /** Version 1.1 and FLAN-T5 have a head of its own: false. */
  tie_word_embeddings: boolean;
  /** Whether what a tied head reads is divided by `√D`; absent: where the head is tied. */
  scale_decoder_outputs?: boolean | null | undefined;
}

const own = settings<T5Config>(
  {
    model_type: z.literal('t5').default('t5'),
    architectures: z
      .tuple([z.literal('T5ForConditionalGeneration')])
      .default(['T5ForConditionalGeneration']),
    vocab_size: size.default(32128),
    d_model: size.default(512),
    d_kv: size.default(64),
    d_ff: size.default(2048),
    num_layers: depth.default(6),
    num_decoder_layers: depth.nullish(),
    num_heads: size.default(8),
    relative_attention_num_buckets: size.default(32),
    // A table holds a number for each distance.
    relative_attention_max_distance: size.max(2 ** 20).default(128),
    dropout_rate: rate.default(0.1),
    layer_norm_epsilon: z.number().positive().default(1e-6),
    initializer_factor: z.number().positive().default(1),
    feed_forward_proj: z.enum(feedForwards).default('relu'),
    dense_act_fn: z.enum(activationNames).optional(),
    is_gated_act: z.boolean().optional(),
    pad_token_id: z.number().int().nonnegative().default(0),
    decoder_start_token_id: z.number().int().nonnegative().nullish(),
    tie_word_embeddings: z.boolean().default(true),
    scale_decoder_outputs: z.boolean().nullish(),
    // Variants that this file does not build: refused, not ignored.
    is_encoder_decoder: z.literal(true).default(true),
    is_decoder: z.literal(false).default(false),
    quantization_config: z.null().optional(),
  },
  {
    aliases: {
      hidden_size: 'd_model',
      num_attention_heads: 'num_heads',
      num_hidden_layers: 'num_layers',
      head_dim: 'd_kv',
    },
    kept: ['classifier_dropout', 'n_positions'],
  },
);

const scalesOutputs = ({ scale_decoder_outputs, tie_word_embeddings }: T5Config): boolean =>
  scale_decoder_outputs === undefined ? tie_word_embeddings : scale_decoder_outputs === true;

/** The feed-forward layer's kind: what releases wrote beside `feed_forward_proj` stands above it. */
function feedForwardOf(config: T5Config): { gated: boolean; activation: ActivationName } {
  const { feed_forward_proj: written, dense_act_fn, is_gated_act } = config;
  const gated = written.startsWith('gated-');
  // The gated one has always been computed with the approximation.
  const named = written === 'gated-gelu' ? 'gelu_new' : written.replace('gated-', '');
  return {
    gated: is_gated_act ?? gated,
    activation: dense_act_fn ?? (named as ActivationName),
  };
}

const makeNorm = (params: ParamStore, { d_model: dim, layer_norm_epsilon }: T5Config): RMSNorm =>
  new RMSNorm(params, { dim, epsilon: layer_norm_epsilon });

/** Sizes of attention, whose weights start so that scores need no scaling. */
function attentionOptions(params: ParamStore, config: T5Config) {
  const { d_model: dim, num_heads: heads, d_kv: headDim, initializer_factor: factor } = config;
  const inner = heads * headDim;
  const start = (name: string, std: number) =>
    params.at(name).matrix('weight', [inner, dim], 'out-in', normal(factor * std));
  start('qProj', (dim * headDim) ** -0.5);
  start('kProj', dim ** -0.5);
  start('vProj', dim ** -0.5);
  return {
    dim,
    heads,
    headDim,
    scale: 1,
    bias: false,
    layout: 'out-in' as const,
    dropout: config.dropout_rate > 0 ? new Dropout({ rate: config.dropout_rate }) : undefined,
    outInit: normal(factor * inner ** -0.5),
  };
}

function feedForward(params: ParamStore, config: T5Config): Layer {
  const { d_model: dim, d_ff: hidden, initializer_factor: factor } = config;
  const { gated, activation } = feedForwardOf(config);
  const Kind = gated ? GatedFeedForward : FeedForward;
  return new Kind(params, {
    dim,
    hidden,
    activation: activationOf(activation),
    bias: false,
    layout: 'out-in',
    dropout: new Dropout({ rate: config.dropout_rate }),
    init: normal(factor * dim ** -0.5),
    outInit: normal(factor * hidden ** -0.5),
  });
}

/** What both stacks' blocks have: self-attention with positions that all blocks share, and feed-forward. */
function blockParts(
  params: ParamStore,
  config: T5Config,
  position: T5Position,
  { isDecoder }: { isDecoder: boolean },
) {
  return {
    norm1: makeNorm(params.at('norm1'), config),
    mix: new MultiHeadAttention(params.at('attn'), {
      ...attentionOptions(params.at('attn'), config),
      position,
      ...(isDecoder ? { mask: causal } : {}),
    }),
    norm2: makeNorm(params.at('norm2'), config),
    mlp: feedForward(params.at('mlp'), config),
    dropout: new Dropout({ rate: config.dropout_rate }),
    path: params.path,
  };
}

function makePosition(params: ParamStore, config: T5Config, bidirectional: boolean): T5Position {
  return new T5Position(params.at('positions'), {
    heads: config.num_heads,
    buckets: config.relative_attention_num_buckets,
    maxDistance: config.relative_attention_max_distance,
    bidirectional,
  });
}

function buildEncoder(params: ParamStore, config: T5Config): Layer {
  const position = makePosition(params, config, true);
  const blocks = Array.from({ length: config.num_layers }, (_, i) => {
    const p = params.at('blocks').at(i);
    return new PreNormBlock(blockParts(p, config, position, { isDecoder: false }));
  });
  return new Encoder({ blocks, norm: makeNorm(params.at('norm'), config) });
}

function buildDecoder(params: ParamStore, config: T5Config): CrossDecoder {
  const position = makePosition(params, config, false);
  const length = config.num_decoder_layers ?? config.num_layers;
  const blocks = Array.from({ length }, (_, i) => {
    const p = params.at('blocks').at(i);
    return new PreNormCrossBlock({
      ...blockParts(p, config, position, { isDecoder: true }),
      crossNorm: makeNorm(p.at('crossNorm'), config),
      cross: new CrossAttention(p.at('cross'), attentionOptions(p.at('cross'), config)),
    });
  });
  return new CrossDecoder({ blocks, norm: makeNorm(params.at('norm'), config) });
}

/**
 * T5: an encoder-decoder of pre-norm blocks whose relative positions are learned numbers for buckets of
 * distances, shared by all blocks; there are no biases, and scores are not scaled.
 *
 * @see Raffel et al. 2020, https://arxiv.org/abs/1910.10683; Shazeer 2020 (gated feed-forward),
 * https://arxiv.org/abs/2002.05202
 */
function buildT5(params: ParamStore, config: T5Config): EncoderDecoderModel {
  const { vocab_size: count, d_model: dim, initializer_factor: factor } = config;
  const tokens = new Embedding(params.at('tokens'), { count, dim, init: normal(factor) });
  const dropout = new Dropout({ rate: config.dropout_rate });
  const embed: Layer = { forward: (ids, ctx) => dropout.forward(tokens.forward(ids, ctx), ctx) };
  const encoder = buildEncoder(params.at('encoder'), config);
  const decoder = buildDecoder(params.at('decoder'), config);
  return new EncoderDecoder({
    vocabSize: count,
    maxLength: Number.POSITIVE_INFINITY,
    startId: config.decoder_start_token_id ?? config.pad_token_id,
    embedSource: embed,
    encoder: { forward: (x, ctx) => dropout.forward(encoder.forward(x, ctx), ctx) },
    embedTarget: embed,
    decoder: { forward: (x, e, ctx) => dropout.forward(decoder.forward(x, e, ctx), ctx) },
    scores: makeScores(params, config, tokens),
  });
}

/** Scores by the embeddings or by a matrix of its own, of hidden states that may be divided by `√D`. */
function makeScores(params: ParamStore, config: T5Config, tokens: Embedding): Layer {
  const { d_model: dim, vocab_size: out, initializer_factor: factor } = config;
  const scaled = (x: tf.Tensor) => (scalesOutputs(config) ? x.mul(dim ** -0.5) : x);
  if (config.tie_word_embeddings) {
    return { forward: (x) => tf.tidy(() => tokens.scores(scaled(x))) };
  }
  const options = { in: dim, out, bias: false, layout: 'out-in', init: normal(factor) } as const;
  const head = new Linear(params.at('head'), options);
  return { forward: (x, ctx) => tf.tidy(() => head.forward(scaled(x), ctx)) };
}

const attentionKeys = (ours: string, theirs: string): KeyTable => [
  [`${ours}.qProj`, `${theirs}.q`],
  [`${ours}.kProj`, `${theirs}.k`],
  [`${ours}.vProj`, `${theirs}.v`],
  [`${ours}.outProj`, `${theirs}.o`],
];

/** Where the parameters of one stack lie, whose feed-forward layer is the last of a block's layers. */
function stackKeys(side: 'encoder' | 'decoder', last: number, gated: boolean): KeyTable {
  const layer = (i: number) => `${side}.block.#.layer.${i}`;
  return [
    [`${side}.positions`, `${side}.block.0.layer.0.SelfAttention.relative_attention_bias`],
    ...attentionKeys(`${side}.blocks.#.attn`, `${layer(0)}.SelfAttention`),
    [`${side}.blocks.#.norm1`, `${layer(0)}.layer_norm`],
    [`${side}.blocks.#.mlp.gate`, `${layer(last)}.DenseReluDense.wi_0`],
    [`${side}.blocks.#.mlp.up`, `${layer(last)}.DenseReluDense.${gated ? 'wi_1' : 'wi'}`],
    [`${side}.blocks.#.mlp.down`, `${layer(last)}.DenseReluDense.wo`],
    [`${side}.blocks.#.norm2`, `${layer(last)}.layer_norm`],
    [`${side}.norm`, `${side}.final_layer_norm`],
  ];
}

/** The family `t5` in Hugging Face's layout. */
export const t5: ModelFamily<T5Config> = {
  modelType: 't5',
  parseConfig: (json, name = 'config.json') => own.parse(json, name),
  settings: own,
  depths: ['num_layers', 'num_decoder_layers'],
  configJson: (config) => ({ ...config }),
  build: buildT5,
  keys(config) {
    const { gated } = feedForwardOf(config);
    return [
      ['tokens', 'shared'],
      ...stackKeys('encoder', 1, gated),
      ...stackKeys('decoder', 2, gated),
      ...attentionKeys('decoder.blocks.#.cross', 'decoder.block.#.layer.1.EncDecAttention'),
      ['decoder.blocks.#.crossNorm', 'decoder.block.#.layer.1.layer_norm'],
      ['head', 'lm_head'],
    ];
  },
  keyPrefix: '',
  copies: ({ tie_word_embeddings: tied }) => [
    ['encoder.embed_tokens.weight', 'shared.weight'],
    ['decoder.embed_tokens.weight', 'shared.weight'],
    ...(tied ? [['lm_head.weight', 'shared.weight'] as const] : []),
  ],
  // transformers 5 ties every head that is not there, whatever `tie_word_embeddings` says.
  fitted: (config, { has, differing }) => ({
    ...config,
    scale_decoder_outputs: scalesOutputs(config),
    tie_word_embeddings: config.tie_word_embeddings
      ? !differing.includes('lm_head.weight')
      : !has('lm_head.weight'),
  }),
  // A table of positions that first checkpoints have and nothing reads.
  ignoredKeys: /\.EncDecAttention\.relative_attention_bias\.weight$/,
};
