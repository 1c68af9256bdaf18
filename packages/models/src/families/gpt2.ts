import { InputError } from '@headwise/core';
import { z } from 'zod';
import type { HeadPart, ModelConfiguration } from '../build/model-configuration.js';
import type { KeyTable, ModelFamily } from '../family.js';
import { architecture, classes, depth, labelCount, rate, size, tokenId } from '../fields.js';
import { checkDivides } from '../parse-with.js';
import { type ActivationName, activation, activationOf } from './shared/activations.js';
import { decoderHead, fittedHead, headCopy } from './shared/decoder-head.js';
import { settings } from './shared/settings.js';

/** Hugging Face's `GPT2Config`; other keys are kept as they are. */
export interface GPT2Config {
  [key: string]: unknown;
  model_type: 'gpt2';
  /** `V` */
  vocab_size: number;
  /** The longest sequence. */
  n_positions: number;
  /** `D`, divisible by `n_head`. */
  n_embd: number;
  /** `L` */
  n_layer: number;
  /** `H` */
  n_head: number;
  /** `F`; null or absent: `4 D`. */
  n_inner?: number | null | undefined;
  activation_function: ActivationName;
  embd_pdrop: number;
  resid_pdrop: number;
  attn_pdrop: number;
  layer_norm_epsilon: number;
  /** The standard deviation of the initial weights. */
  initializer_range: number;
  tie_word_embeddings: boolean;
  /** Whether scores are divided by `√Dh`. */
  scale_attn_weights: boolean;
  /** Whether scores of layer i are divided by `i + 1`. */
  scale_attn_by_inverse_layer_idx: boolean;
  /** The head, by the class that Hugging Face gives it. */
  architectures?: ['GPT2Model' | 'GPT2LMHeadModel' | 'GPT2ForSequenceClassification'] | undefined;
  /** A classifier's labels; absent: two. */
  id2label?: Record<string, string> | null | undefined;
  /** Their number, where they have no names. */
  num_labels?: number | undefined;
  pad_token_id?: number | null | undefined;
  /** Whether each block looks at an encoder's states besides. */
  add_cross_attention: boolean;
  /** The id that every output begins with, where there is cross-attention; null or absent: `bos_token_id`, 50256. */
  decoder_start_token_id?: number | null | undefined;
  bos_token_id?: number | null | undefined;
}

const own = settings<GPT2Config>(
  {
    model_type: z.literal('gpt2').default('gpt2'),
    vocab_size: size.default(50257),
    n_positions: size.default(1024),
    n_embd: size.default(768),
    n_layer: depth.default(12),
    n_head: size.default(12),
    n_inner: size.nullish(),
    activation_function: activation('gelu_new'),
    embd_pdrop: rate.default(0.1),
    resid_pdrop: rate.default(0.1),
    attn_pdrop: rate.default(0.1),
    layer_norm_epsilon: z.number().positive().default(1e-5),
    initializer_range: z.number().nonnegative().default(0.02),
    tie_word_embeddings: z.boolean().default(true),
    scale_attn_weights: z.boolean().default(true),
    architectures: architecture('GPT2Model', 'GPT2LMHeadModel', 'GPT2ForSequenceClassification'),
    ...classes,
    pad_token_id: tokenId.nullish(),
    scale_attn_by_inverse_layer_idx: z.boolean().default(false),
    add_cross_attention: z.boolean().default(false),
    decoder_start_token_id: tokenId.nullish(),
    bos_token_id: tokenId.nullish(),
    // Not built: refused, not ignored.
    cross_attention_hidden_size: z.null().optional(),
  },
  {
    aliases: {
      hidden_size: 'n_embd',
      max_position_embeddings: 'n_positions',
      num_attention_heads: 'n_head',
      num_hidden_layers: 'n_layer',
    },
    kept: [
      'is_decoder',
      'n_ctx',
      'reorder_and_upcast_attn',
      'summary_activation',
      'summary_first_dropout',
      'summary_proj_to_labels',
      'summary_type',
      'summary_use_proj',
    ],
  },
);

function headOf(config: GPT2Config): HeadPart {
  if (config.architectures?.[0] !== 'GPT2ForSequenceClassification') {
    return decoderHead(config, 'GPT2Model');
  }
  const padId = config.pad_token_id ?? undefined;
  return { kind: 'sequence-classification', labels: labelCount(config), padId };
}

const startIdOf = ({ decoder_start_token_id: start, bos_token_id: first }: GPT2Config): number =>
  start ?? first ?? 50256;

function preset(config: GPT2Config): ModelConfiguration {
  const { n_embd: dim, n_inner } = config;
  return {
    model_type: 'headwise',
    topology: 'decoder',
    ...(config.add_cross_attention && {
      topology: 'encoder-decoder',
      encoder: 'states',
      startId: startIdOf(config),
    }),
    vocabSize: config.vocab_size,
    maxLength: config.n_positions,
    dim,
    layers: config.n_layer,
    embedding: { dropout: config.embd_pdrop },
    position: { kind: 'learned' },
    heads: {
      count: config.n_head,
      projection: 'fused',
      bias: { qkv: true, out: true },
      dropout: config.attn_pdrop,
    },
    score: {
      kind: config.scale_attn_weights ? 'scaled-dot-product' : 'dot-product',
      byDepth: config.scale_attn_by_inverse_layer_idx,
    },
    norm: { kind: 'layer', epsilon: config.layer_norm_epsilon },
    feedForward: {
      kind: 'plain',
      hidden: n_inner ?? 4 * dim,
      activation: activationOf(config.activation_function),
      bias: true,
    },
    block: 'pre-norm',
    dropout: config.resid_pdrop,
    head: headOf(config),
    layout: 'in-out',
    init: { std: config.initializer_range, byDepth: true },
  };
}

const stackKeys: KeyTable = [
  ['positions', 'transformer.wpe'],
  ['blocks.#.norm1', 'transformer.h.#.ln_1'],
  ['blocks.#.attn.qkv', 'transformer.h.#.attn.c_attn'],
  ['blocks.#.attn.outProj', 'transformer.h.#.attn.c_proj'],
  ['blocks.#.norm2', 'transformer.h.#.ln_2'],
  ['blocks.#.mlp.up', 'transformer.h.#.mlp.c_fc'],
  ['blocks.#.mlp.down', 'transformer.h.#.mlp.c_proj'],
  ['norm', 'transformer.ln_f'],
];

const crossKeys: KeyTable = [
  ['blocks.#.crossNorm', 'transformer.h.#.ln_cross_attn'],
  ['blocks.#.cross.qProj', 'transformer.h.#.crossattention.q_attn'],
  ['blocks.#.cross.kv', 'transformer.h.#.crossattention.c_attn'],
  ['blocks.#.cross.outProj', 'transformer.h.#.crossattention.c_proj'],
];

/** Throws where a model with cross-attention would have no scores of tokens, or begin with an id that it lacks. */
function checkCross(config: GPT2Config, name: string): void {
  if (!config.add_cross_attention) return;
  if (headOf(config).kind !== 'language-model') {
    throw new InputError(
      `${name}: 'add_cross_attention' is true and 'architectures' ["${config.architectures?.[0]}"]; expected GPT2LMHeadModel`,
    );
  }
  const start = startIdOf(config);
  if (start >= 0 && start < config.vocab_size) return;
  throw new InputError(
    `${name}: outputs begin with id ${start}, 'decoder_start_token_id' or else 'bos_token_id'; expected an id below 'vocab_size' ${config.vocab_size}`,
  );
}

/**
 * GPT-2: a decoder of pre-norm blocks with learned positions and a head tied to the embeddings.
 *
 * Its checkpoints hold weights as `[in, out]`, Conv1D's layout. With `add_cross_attention` it is the decoder of an encoder-decoder,
 * whose `encode` takes the states `[B, Tk, D]` that transformers calls `encoder_hidden_states`.
 *
 * @see Radford et al. 2019, Language Models are Unsupervised Multitask Learners
 */
export const gpt2: ModelFamily<GPT2Config> = {
  modelType: 'gpt2',
  parseConfig(json, name = 'config.json') {
    const config = own.parse(json, name);
    checkDivides(name, 'n_embd', config.n_embd, 'n_head', config.n_head);
    checkCross(config, name);
    return config;
  },
  settings: own,
  configJson: (config) => ({ architectures: ['GPT2LMHeadModel'], ...config }),
  preset,
  keys: ({ add_cross_attention: crossed }) => [
    ['tokens', 'transformer.wte'],
    ...(crossed ? [...stackKeys, ...crossKeys] : stackKeys).map(
      ([ours, theirs]) => [crossed ? `decoder.${ours}` : ours, theirs] as const,
    ),
    ['head', 'lm_head'],
    ['score', 'score'],
  ],
  keyPrefix: 'transformer.',
  copies: (config) =>
    headOf(config).kind === 'language-model' ? headCopy('transformer.wte.weight')(config) : [],
  fitted: fittedHead('GPT2Model', 'GPT2LMHeadModel'),
  ignoredKeys: /(^|\.)(attn|crossattention)\.(bias|masked_bias)$/,
};
