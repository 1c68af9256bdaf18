import { InputError } from '@headwise/core';
import { z } from 'zod';
import type { BlockKind, ModelConfiguration } from '../build/model-configuration.js';
import { groupedHeads } from '../checkpoint/row-order.js';
import type { ModelFamily } from '../family.js';
import { architecture, depth, rate, size } from '../fields.js';
import { checkDivides } from '../parse-with.js';
import { type ActivationName, activation, activationOf } from './shared/activations.js';
import { decoderHead, fittedHead, headCopy } from './shared/decoder-head.js';
import { checkRope, type RopeSettings, readRope, ropeShape } from './shared/rope.js';
import { settings } from './shared/settings.js';

/** Hugging Face's `FalconConfig`; other keys are kept as they are. */
export interface FalconConfig extends RopeSettings {
  [key: string]: unknown;
  model_type: 'falcon';
  /** `V` */
  vocab_size: number;
  /** `D`, divisible by `num_attention_heads`. */
  hidden_size: number;
  /** `L` */
  num_hidden_layers: number;
  /** `H` */
  num_attention_heads: number;
  /** `Hkv` of the new decoder; null or absent: `H`. */
  num_kv_heads?: number | null | undefined;
  /** Whether the new decoder's blocks have one norm or, by default, two. */
  num_ln_in_parallel_attn?: 1 | 2 | null | undefined;
  layer_norm_epsilon: number;
  initializer_range: number;
  hidden_dropout: number;
  attention_dropout: number;
  /** ALiBi instead of rotary positions. */
  alibi: boolean;
  /** A key of ours: `bfloat16` rounds ALiBi as transformers does, for a checkpoint's own numbers; absent: exact. */
  alibi_rounding?: 'bfloat16' | undefined;
  /** The blocks of Falcon 40B: grouped heads, and norms of their own for both parts. */
  new_decoder_architecture: boolean;
  /** One head of keys, outside the new decoder. */
  multi_query: boolean;
  /** Attention and the feed-forward layer side by side. */
  parallel_attn: boolean;
  /** Of every linear map. */
  bias: boolean;
  max_position_embeddings: number;
  /** `F`; null or absent: `4 D`. */
  ffn_hidden_size?: number | null | undefined;
  activation: ActivationName;
  tie_word_embeddings: boolean;
}

/** transformers reads null as no. */
const flag = z
  .boolean()
  .nullable()
  .default(true)
  .transform((given) => given ?? false);

const own = settings<FalconConfig>(
  {
    model_type: z.literal('falcon').default('falcon'),
    vocab_size: size.default(65024),
    hidden_size: size.default(4544),
    num_hidden_layers: depth.default(32),
    num_attention_heads: size.default(71),
    num_kv_heads: size.nullish(),
    num_ln_in_parallel_attn: z.union([z.literal(1), z.literal(2)]).nullish(),
    layer_norm_epsilon: z.number().positive().default(1e-5),
    initializer_range: z.number().nonnegative().default(0.02),
    hidden_dropout: rate.default(0),
    attention_dropout: rate.default(0),
    alibi: z.boolean().default(false),
    alibi_rounding: z.literal('bfloat16').optional(),
    new_decoder_architecture: z.boolean().default(false),
    multi_query: flag,
    parallel_attn: flag,
    bias: z.boolean().default(false),
    max_position_embeddings: size.default(2048),
    ffn_hidden_size: size.nullish(),
    activation: activation('gelu'),
    tie_word_embeddings: z.boolean().default(true),
    ...ropeShape,
    architectures: architecture('FalconModel', 'FalconForCausalLM'),
    quantization_config: z.null().optional(),
  },
  {
    aliases: { n_embed: 'hidden_size' },
    kept: ['apply_residual_connection_post_layernorm'],
  },
);

function blockOf(config: FalconConfig): BlockKind {
  if (!config.parallel_attn) return 'pre-norm';
  const two = config.new_decoder_architecture && config.num_ln_in_parallel_attn !== 1;
  return two ? 'parallel-two-norms' : 'parallel';
}

const ropeOf = (config: FalconConfig, name = 'config.json') =>
  readRope(config, config.max_position_embeddings, name);

function kvHeads({ new_decoder_architecture, multi_query, ...config }: FalconConfig): number {
  if (new_decoder_architecture) return config.num_kv_heads ?? config.num_attention_heads;
  return multi_query ? 1 : config.num_attention_heads;
}

function preset(config: FalconConfig): ModelConfiguration {
  const { num_attention_heads: count, hidden_size: dim, bias } = config;
  const rope = ropeOf(config);
  return {
    model_type: 'headwise',
    topology: 'decoder',
    vocabSize: config.vocab_size,
    maxLength: config.alibi ? config.max_position_embeddings : rope.maxLength,
    dim,
    layers: config.num_hidden_layers,
    // Its biases are added before scores are scaled.
    position: config.alibi
      ? { kind: 'alibi', factor: 1 / Math.sqrt(dim / count), rounding: config.alibi_rounding }
      : rope.position,
    heads: {
      count,
      kv: kvHeads(config),
      projection: 'fused',
      bias: { qkv: bias, out: bias },
      dropout: config.attention_dropout,
    },
    norm: { kind: 'layer', epsilon: config.layer_norm_epsilon },
    feedForward: {
      kind: 'plain',
      hidden: config.ffn_hidden_size ?? 4 * dim,
      activation: activationOf(config.activation),
      bias,
    },
    block: blockOf(config),
    dropout: config.hidden_dropout,
    head: decoderHead(config, 'FalconModel'),
    layout: 'out-in',
    init: { std: config.initializer_range },
  };
}

/**
 * Falcon: a decoder of parallel blocks with one head of keys (7B) or a few (40B), and rotary positions or ALiBi.
 *
 * Its checkpoints hold queries, keys and values in one matrix, group by group.
 *
 * @see Almazrouei et al. 2023, https://arxiv.org/abs/2311.16867
 */
export const falcon: ModelFamily<FalconConfig> = {
  modelType: 'falcon',
  parseConfig(json, name = 'config.json') {
    const config = own.parse(json, name);
    const { hidden_size: dim, num_attention_heads: heads } = config;
    checkDivides(name, 'hidden_size', dim, 'num_attention_heads', heads);
    checkDivides(name, 'num_attention_heads', heads, 'num_kv_heads', kvHeads(config));
    checkVariant(config, name);
    if (!config.alibi) checkRope(ropeOf(config, name), dim / heads, name);
    return config;
  },
  settings: own,
  configJson: (config) => ({ architectures: ['FalconForCausalLM'], ...config }),
  preset,
  keys(config) {
    const { num_attention_heads: heads, hidden_size: dim } = config;
    const two = blockOf(config) === 'parallel-two-norms';
    return [
      ['tokens', 'transformer.word_embeddings'],
      ['blocks.#.norm1', `transformer.h.#.${two ? 'ln_attn' : 'input_layernorm'}`],
      [
        'blocks.#.attn.qkv',
        'transformer.h.#.self_attention.query_key_value',
        () => groupedHeads(heads, kvHeads(config), dim / heads),
      ],
      ['blocks.#.attn.outProj', 'transformer.h.#.self_attention.dense'],
      ['blocks.#.norm2', `transformer.h.#.${two ? 'ln_mlp' : 'post_attention_layernorm'}`],
      ['blocks.#.mlp.up', 'transformer.h.#.mlp.dense_h_to_4h'],
      ['blocks.#.mlp.down', 'transformer.h.#.mlp.dense_4h_to_h'],
      ['norm', 'transformer.ln_f'],
      ['head', 'lm_head'],
    ];
  },
  keyPrefix: 'transformer.',
  copies: headCopy('transformer.word_embeddings.weight'),
  fitted: fittedHead('FalconModel', 'FalconForCausalLM'),
  ignoredKeys: /\.rotary(_emb)?\.inv_freq$/,
};

/** Throws for mixes that Hugging Face's model cannot run either. */
function checkVariant(config: FalconConfig, name: string): void {
  const { new_decoder_architecture: renewed, num_ln_in_parallel_attn: norms } = config;
  if (renewed && !config.parallel_attn) {
    throw new InputError(
      `${name}: 'new_decoder_architecture' is true and 'parallel_attn' false; expected both true`,
    );
  }
  if (!renewed && norms === 2) {
    throw new InputError(
      `${name}: 'num_ln_in_parallel_attn' is 2; expected 1 or null without 'new_decoder_architecture'`,
    );
  }
}
