import { z } from 'zod';
import type { ModelConfiguration } from '../build/model-configuration.js';
import type { KeyTable, ModelFamily } from '../family.js';
import { depth, rate, size } from '../fields.js';
import { type ActivationName, activationNames, activationOf } from './shared/activations.js';
import { settings } from './shared/settings.js';
import { encoderDecoderTables, type TableSettings, untiedEmbeddings } from './shared/tables.js';

const feedForwards: readonly (ActivationName | `gated-${ActivationName}`)[] =
  activationNames.flatMap((name) => [name, `gated-${name}`] as const);

/** Hugging Face's `T5Config`, `MT5Config` and `UMT5Config`; other keys are kept as they are. */
export interface T5Config extends TableSettings {
  [key: string]: unknown;
  model_type: 't5' | 'mt5' | 'umt5';
  architectures: [string];
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
  /** Whether what the head reads is divided by `√D`; absent: where the head is tied, in mT5 never. */
  scale_decoder_outputs?: boolean | null | undefined;
}

const shared = {
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
  untied_embeddings: untiedEmbeddings,
  scale_decoder_outputs: z.boolean().nullish(),
  // Variants that are not built: refused, not ignored.
  is_encoder_decoder: z.literal(true).default(true),
  is_decoder: z.literal(false).default(false),
  quantization_config: z.null().optional(),
};

const scalesOutputs = (config: T5Config): boolean => {
  const { model_type, scale_decoder_outputs: scaled, tie_word_embeddings } = config;
  return scaled === undefined ? model_type !== 'mt5' && tie_word_embeddings : scaled === true;
};

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

/** T5's tables; `tie_word_embeddings: false` unties the head alone, as in version 1.1. */
const tables = encoderDecoderTables<T5Config>('', ['head']);

function preset(config: T5Config): ModelConfiguration {
  const { d_model: dim, dropout_rate: dropout, num_layers: layers, num_decoder_layers } = config;
  const { gated, activation } = feedForwardOf(config);
  const { separate, tied } = tables.parts(config);
  const decoderLayers = num_decoder_layers ?? layers;
  return {
    model_type: 'headwise',
    topology: 'encoder-decoder',
    vocabSize: config.vocab_size,
    maxLength: null,
    dim,
    layers,
    decoder: decoderLayers === layers ? undefined : { layers: decoderLayers },
    embedding: { dropout, separate },
    position: {
      kind: 't5',
      buckets: config.relative_attention_num_buckets,
      maxDistance: config.relative_attention_max_distance,
      perLayer: config.model_type === 'umt5' ? true : undefined,
    },
    heads: { count: config.num_heads, dim: config.d_kv, dropout },
    score: { kind: 'dot-product' },
    norm: { kind: 'rms', epsilon: config.layer_norm_epsilon },
    feedForward: {
      kind: gated ? 'gated' : 'plain',
      hidden: config.d_ff,
      activation: activationOf(activation),
      bias: false,
      dropout,
    },
    block: 'pre-norm',
    dropout,
    finalDropout: dropout,
    head: {
      kind: 'language-model',
      tied,
      scale: scalesOutputs(config) ? dim ** -0.5 : undefined,
    },
    startId: config.decoder_start_token_id ?? config.pad_token_id,
    layout: 'out-in',
    init: { std: config.initializer_factor, byFanIn: true },
  };
}

const attentionKeys = (ours: string, theirs: string): KeyTable => [
  [`${ours}.qProj`, `${theirs}.q`],
  [`${ours}.kProj`, `${theirs}.k`],
  [`${ours}.vProj`, `${theirs}.v`],
  [`${ours}.outProj`, `${theirs}.o`],
];

const biases = 'SelfAttention.relative_attention_bias';

/** Where the parameters of one stack lie, whose feed-forward layer is the last of a block's layers. */
function stackKeys(side: 'encoder' | 'decoder', last: number, gated: boolean): KeyTable {
  const layer = (i: number) => `${side}.block.#.layer.${i}`;
  return [
    [`${side}.positions`, `${side}.block.0.layer.0.${biases}`],
    [`${side}.blocks.#.attn.position`, `${layer(0)}.${biases}`],
    ...attentionKeys(`${side}.blocks.#.attn`, `${layer(0)}.SelfAttention`),
    [`${side}.blocks.#.norm1`, `${layer(0)}.layer_norm`],
    [`${side}.blocks.#.mlp.gate`, `${layer(last)}.DenseReluDense.wi_0`],
    [`${side}.blocks.#.mlp.up`, `${layer(last)}.DenseReluDense.${gated ? 'wi_1' : 'wi'}`],
    [`${side}.blocks.#.mlp.down`, `${layer(last)}.DenseReluDense.wo`],
    [`${side}.blocks.#.norm2`, `${layer(last)}.layer_norm`],
    [`${side}.norm`, `${side}.final_layer_norm`],
  ];
}

function keys(config: T5Config): KeyTable {
  const { gated } = feedForwardOf(config);
  return [
    ...tables.keys,
    ...stackKeys('encoder', 1, gated),
    ...stackKeys('decoder', 2, gated),
    ...attentionKeys('decoder.blocks.#.cross', 'decoder.block.#.layer.1.EncDecAttention'),
    ['decoder.blocks.#.crossNorm', 'decoder.block.#.layer.1.layer_norm'],
  ];
}

/** A family of T5's: its name, that of its class, and the settings whose defaults differ. */
function t5Family(
  modelType: T5Config['model_type'],
  className: string,
  defaults: Partial<Record<keyof typeof shared, z.ZodType>> = {},
): ModelFamily<T5Config> {
  const whole = `${className}ForConditionalGeneration`;
  const own = settings<T5Config>(
    {
      model_type: z.literal(modelType).default(modelType),
      architectures: z.tuple([z.literal(whole)]).default([whole]),
      ...shared,
      ...defaults,
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
  return {
    modelType,
    parseConfig: (json, name = 'config.json') => own.parse(json, name),
    settings: own,
    configJson: (config) => ({ ...config }),
    preset,
    keys,
    keyPrefix: '',
    copies: tables.copies,
    // transformers 5 ties every table that is not there, whatever `tie_word_embeddings` says.
    fitted: (config, held) =>
      tables.fitted({ ...config, scale_decoder_outputs: scalesOutputs(config) }, held),
    // A table of positions that first checkpoints have and nothing reads.
    ignoredKeys: /\.EncDecAttention\.relative_attention_bias\.weight$/,
  };
}

/**
 * T5: an encoder-decoder of pre-norm blocks whose relative positions are learned numbers for buckets of
 * distances, shared by all blocks; there are no biases, and scores are not scaled.
 *
 * @see Raffel et al. 2020, https://arxiv.org/abs/1910.10683; Shazeer 2020 (gated feed-forward),
 * https://arxiv.org/abs/2002.05202
 */
export const t5: ModelFamily<T5Config> = t5Family('t5', 'T5');

const multilingual = {
  vocab_size: size.default(250112),
  d_ff: size.default(1024),
  num_layers: depth.default(8),
  num_heads: size.default(6),
  feed_forward_proj: z.enum(feedForwards).default('gated-gelu'),
  decoder_start_token_id: z.number().int().nonnegative().nullable().default(0),
};

/**
 * mT5: T5 1.1 for 101 languages, whose head reads hidden states as they are.
 *
 * @see Xue et al. 2021, https://arxiv.org/abs/2010.11934
 */
export const mt5: ModelFamily<T5Config> = t5Family('mt5', 'MT5', multilingual);

/**
 * umT5: mT5 in which every block has numbers of its own for distances.
 *
 * @see Chung et al. 2023, https://arxiv.org/abs/2304.09151
 */
export const umt5: ModelFamily<T5Config> = t5Family('umt5', 'UMT5', multilingual);
