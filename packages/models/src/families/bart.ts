import { InputError } from '@headwise/core';
import { z } from 'zod';
import type {
  DecoderSizes,
  ModelConfiguration,
  PositionPart,
} from '../build/model-configuration.js';
import type { KeyTable, ModelFamily } from '../family.js';
import { depth, rate, size } from '../fields.js';
import { checkDivides } from '../parse-with.js';
import { type ActivationName, activation, activationOf } from './shared/activations.js';
import { type Settings, settings } from './shared/settings.js';
import {
  encoderDecoderTables,
  type TableSettings,
  type Tables,
  untiedEmbeddings,
} from './shared/tables.js';

/** What the configurations of BART and of its relatives have in common; other keys are kept as they are. */
export interface BartSizes extends StackSizes {
  max_position_embeddings: number;
}

/** The same without the longest sequence, which some have for each side. */
export interface StackSizes extends TableSettings {
  [key: string]: unknown;
  /** `V` */
  vocab_size: number;
  /** `D` */
  d_model: number;
  encoder_layers: number;
  /** Divides `d_model`, as `decoder_attention_heads` does. */
  encoder_attention_heads: number;
  encoder_ffn_dim: number;
  decoder_layers: number;
  decoder_attention_heads: number;
  decoder_ffn_dim: number;
  activation_function: ActivationName;
  /** Of embeddings and of what is added to the residual stream. */
  dropout: number;
  /** Of attention weights. */
  attention_dropout: number;
  /** Of the hidden values of feed-forward layers. */
  activation_dropout: number;
  /** Whether embeddings are multiplied by `√D`. */
  scale_embedding: boolean;
  /** The standard deviation of the initial weights. */
  init_std: number;
  pad_token_id?: number | null | undefined;
  /** Null or absent: `bos_token_id`. */
  decoder_start_token_id?: number | null | undefined;
  /** What an output begins with where nothing else is said; default 0. */
  bos_token_id?: number | null | undefined;
}

const shared = {
  max_position_embeddings: size.default(1024),
  encoder_layers: depth.default(12),
  encoder_ffn_dim: size.default(4096),
  encoder_attention_heads: size.default(16),
  decoder_layers: depth.default(12),
  decoder_ffn_dim: size.default(4096),
  decoder_attention_heads: size.default(16),
  activation_function: activation('gelu'),
  d_model: size.default(1024),
  dropout: rate.default(0.1),
  attention_dropout: rate.default(0),
  activation_dropout: rate.default(0),
  init_std: z.number().nonnegative().default(0.02),
  scale_embedding: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
  untied_embeddings: untiedEmbeddings,
  // Variants that are not built: refused, not ignored.
  is_encoder_decoder: z.literal(true).default(true),
  is_decoder: z.literal(false).default(false),
  encoder_layerdrop: z.literal(0).default(0),
  decoder_layerdrop: z.literal(0).default(0),
  normalize_before: z.literal(false).optional(),
  add_final_layer_norm: z.literal(false).optional(),
  quantization_config: z.null().optional(),
};

/**
 * The settings of a family that has the shared ones and some of its own; `undefined` takes a shared one away.
 *
 * @param kept keys that change nothing that is computed here
 */
export function bartSettings<C extends StackSizes>(
  own: Record<string, z.ZodType | undefined>,
  kept: readonly string[] = [],
): Settings<C> {
  const all = Object.entries({ ...shared, ...own }).filter(([, one]) => one !== undefined);
  return settings<C>(Object.fromEntries(all) as z.ZodRawShape, {
    aliases: {
      num_attention_heads: 'encoder_attention_heads',
      hidden_size: 'd_model',
      num_hidden_layers: 'encoder_layers',
    },
    kept: [
      ...kept,
      'add_bias_logits',
      'classif_dropout',
      'classifier_dropout',
      'extra_pos_embeddings',
      'force_bos_token_to_be_generated',
    ],
  });
}

/**
 * Gives a configuration back whose heads divide its width.
 *
 * @throws InputError with both sizes
 */
export function checkBartSizes<C extends StackSizes>(config: C, name: string): C {
  for (const heads of ['encoder_attention_heads', 'decoder_attention_heads'] as const) {
    checkDivides(name, 'd_model', config.d_model, heads, config[heads]);
  }
  return config;
}

/**
 * Gives a configuration back whose width takes sinusoidal positions.
 *
 * @throws InputError naming the width
 */
export function checkEvenWidth<C extends StackSizes>(config: C, name: string): C {
  const { d_model: dim } = config;
  if (dim % 2 === 0) return config;
  throw new InputError(
    `${name}: 'd_model' is ${dim}; expected an even number, for sinusoidal positions`,
  );
}

/** The tables of BART and its relatives; `tie_word_embeddings: false` unties all of them. */
export const bartTables: Tables<BartSizes> = encoderDecoderTables('model.', [
  'encoder',
  'decoder',
  'head',
]);

/** What an encoder-decoder of BART's kind has of its own. */
export interface BartParts {
  position: PositionPart;
  /** Whether embeddings are normalised. */
  norm: boolean;
  /** Default `post-norm`; `pre-norm` has a last norm besides. */
  block?: 'pre-norm' | undefined;
  /** Whether scores have a bias; default yes. */
  bias?: boolean | undefined;
  /** Default as the settings tie them. */
  tables?: ReturnType<Tables<BartSizes>['parts']> | undefined;
  /** `V` of the decoder; default the encoder's. */
  targetVocabSize?: number | undefined;
}

/** The configuration of an encoder-decoder of BART's kind. */
export function bartPreset(config: BartSizes, parts: BartParts): ModelConfiguration {
  const { d_model: dim, dropout } = config;
  const { position, norm, block = 'post-norm', bias = true, targetVocabSize } = parts;
  const { separate, tied } = parts.tables ?? bartTables.parts(config);
  return {
    model_type: 'headwise',
    topology: 'encoder-decoder',
    vocabSize: config.vocab_size,
    maxLength: config.max_position_embeddings,
    dim,
    layers: config.encoder_layers,
    decoder: decoderSizes(config, targetVocabSize),
    embedding: {
      scale: config.scale_embedding ? Math.sqrt(dim) : undefined,
      norm,
      padId: config.pad_token_id ?? undefined,
      dropout,
      separate,
    },
    position,
    heads: {
      count: config.encoder_attention_heads,
      bias: { qkv: true, out: true },
      dropout: config.attention_dropout,
    },
    norm: { kind: 'layer' },
    feedForward: {
      kind: 'plain',
      hidden: config.encoder_ffn_dim,
      activation: activationOf(config.activation_function),
      bias: true,
      dropout: config.activation_dropout,
    },
    block,
    dropout,
    head: { kind: 'language-model', tied, bias },
    startId: config.decoder_start_token_id ?? config.bos_token_id ?? 0,
    layout: 'out-in',
    init: { std: config.init_std },
  };
}

/** The sizes of the decoder that are not the encoder's. */
function decoderSizes(
  config: BartSizes,
  vocabSize: number = config.vocab_size,
): DecoderSizes | undefined {
  const pairs: [keyof DecoderSizes, decoder: number, encoder: number][] = [
    ['layers', config.decoder_layers, config.encoder_layers],
    ['heads', config.decoder_attention_heads, config.encoder_attention_heads],
    ['hidden', config.decoder_ffn_dim, config.encoder_ffn_dim],
    ['vocabSize', vocabSize, config.vocab_size],
  ];
  const own = pairs.flatMap(([key, decoder, encoder]) =>
    decoder === encoder ? [] : [[key, decoder] as const],
  );
  return own.length > 0 ? Object.fromEntries(own) : undefined;
}

const attentionKeys = (ours: string, theirs: string): KeyTable => [
  [`${ours}.qProj`, `${theirs}.q_proj`],
  [`${ours}.kProj`, `${theirs}.k_proj`],
  [`${ours}.vProj`, `${theirs}.v_proj`],
  [`${ours}.outProj`, `${theirs}.out_proj`],
];

const blockKeys = (side: 'encoder' | 'decoder'): KeyTable => [
  ...attentionKeys(`${side}.blocks.#.attn`, `model.${side}.layers.#.self_attn`),
  [`${side}.blocks.#.norm1`, `model.${side}.layers.#.self_attn_layer_norm`],
  [`${side}.blocks.#.mlp.up`, `model.${side}.layers.#.fc1`],
  [`${side}.blocks.#.mlp.down`, `model.${side}.layers.#.fc2`],
  [`${side}.blocks.#.norm2`, `model.${side}.layers.#.final_layer_norm`],
  [`${side}.norm`, `model.${side}.layer_norm`],
];

/** Where the parameters of the blocks and last norms of BART and its relatives lie. */
export const bartStackKeys: KeyTable = [
  ...blockKeys('encoder'),
  ...blockKeys('decoder'),
  ...attentionKeys('decoder.blocks.#.cross', 'model.decoder.layers.#.encoder_attn'),
  ['decoder.blocks.#.crossNorm', 'model.decoder.layers.#.encoder_attn_layer_norm'],
];

/** Where the parameters that BART and its relatives with a shared table have in common lie. */
export const bartKeys: KeyTable = [
  ...bartTables.keys,
  ['logitsBias', 'final_logits_bias'],
  ...bartStackKeys,
];

/** Where the learned positions and the norms of embeddings of BART and mBART lie. */
export const learnedKeys: KeyTable = [
  ['encoder.positions', 'model.encoder.embed_positions'],
  ['decoder.positions', 'model.decoder.embed_positions'],
  ['encoder.embeddingNorm', 'model.encoder.layernorm_embedding'],
  ['decoder.embeddingNorm', 'model.decoder.layernorm_embedding'],
];

/** Hugging Face's `BartConfig`. */
export interface BartConfig extends BartSizes {
  model_type: 'bart';
  architectures: ['BartForConditionalGeneration'];
}

const own = bartSettings<BartConfig>({
  model_type: z.literal('bart').default('bart'),
  // The published base model is a BartModel, whose shared embeddings are its head.
  architectures: z
    .tuple([z.enum(['BartForConditionalGeneration', 'BartModel'])])
    .default(['BartForConditionalGeneration'])
    .transform(() => ['BartForConditionalGeneration']),
  vocab_size: size.default(50265),
  pad_token_id: z.number().int().nonnegative().default(1),
  decoder_start_token_id: z.number().int().nonnegative().default(2),
  normalize_embedding: z.literal(true).optional(),
  static_position_embeddings: z.literal(false).optional(),
});

function preset(config: BartConfig): ModelConfiguration {
  // The table of positions has two rows before the first position's.
  return bartPreset(config, { position: { kind: 'learned', offset: 2 }, norm: true });
}

/**
 * BART: an encoder-decoder of post-norm blocks with learned positions, whose embeddings are normalised.
 *
 * @see Lewis et al. 2020, https://arxiv.org/abs/1910.13461
 */
export const bart: ModelFamily<BartConfig> = {
  modelType: 'bart',
  parseConfig(json, name = 'config.json') {
    return checkBartSizes(own.parse(json, name), name);
  },
  settings: own,
  configJson: (config) => ({ ...config }),
  preset,
  keys: () => [...bartKeys, ...learnedKeys],
  keyPrefix: 'model.',
  copies: bartTables.copies,
  fitted: (config, held) => bartTables.fitted(config, held) as BartConfig,
  ignoredKeys: /^(encoder|decoder)\.version$/,
  optionalKeys: /^final_logits_bias$/,
};
