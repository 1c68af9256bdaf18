import { z } from 'zod';
import type { ModelConfiguration } from '../build/model-configuration.js';
import { groupedHeads } from '../checkpoint/row-order.js';
import type { ModelFamily } from '../family.js';
import { architecture, depth, rate, size } from '../fields.js';
import { checkDivides } from '../parse-with.js';
import { decoderHead, fittedHead, headCopy } from './shared/decoder-head.js';
import { settings } from './shared/settings.js';

/** Hugging Face's `BloomConfig`; other keys are kept as they are. */
export interface BloomConfig {
  [key: string]: unknown;
  model_type: 'bloom';
  /** `V` */
  vocab_size: number;
  /** `D`, divisible by `n_head`. */
  hidden_size: number;
  /** `L` */
  n_layer: number;
  /** `H` */
  n_head: number;
  /** The longest sequence; what the model was trained on, and no limit of its own. */
  seq_length: number;
  layer_norm_epsilon: number;
  initializer_range: number;
  /** Whether what is added to is the norm's output. */
  apply_residual_connection_post_layernorm: boolean;
  hidden_dropout: number;
  attention_dropout: number;
  tie_word_embeddings: boolean;
}

const own = settings<BloomConfig>(
  {
    model_type: z.literal('bloom').default('bloom'),
    vocab_size: size.default(250880),
    hidden_size: size.default(64),
    n_layer: depth.default(2),
    n_head: size.default(8),
    seq_length: size.default(2048),
    layer_norm_epsilon: z.number().positive().default(1e-5),
    initializer_range: z.number().nonnegative().default(0.02),
    apply_residual_connection_post_layernorm: z.boolean().default(false),
    hidden_dropout: rate.default(0),
    attention_dropout: rate.default(0),
    tie_word_embeddings: z.boolean().default(true),
    n_inner: z.null().optional(),
    architectures: architecture('BloomModel', 'BloomForCausalLM'),
    quantization_config: z.null().optional(),
  },
  {
    aliases: {
      n_embed: 'hidden_size',
      num_attention_heads: 'n_head',
      num_hidden_layers: 'n_layer',
    },
    kept: [
      'attention_softmax_in_fp32',
      'bias_dropout_fusion',
      'masked_softmax_fusion',
      'offset_alibi',
      'pretraining_tp',
      'skip_bias_add',
      'skip_bias_add_qkv',
      'slow_but_exact',
      'unk_token_id',
    ],
  },
);

function preset(config: BloomConfig): ModelConfiguration {
  const { layer_norm_epsilon: epsilon, apply_residual_connection_post_layernorm: normed } = config;
  return {
    model_type: 'headwise',
    topology: 'decoder',
    vocabSize: config.vocab_size,
    maxLength: config.seq_length,
    dim: config.hidden_size,
    layers: config.n_layer,
    embedding: { norm: true },
    position: { kind: 'alibi' },
    heads: {
      count: config.n_head,
      projection: 'fused',
      bias: { qkv: true, out: true },
      dropout: config.attention_dropout,
    },
    norm: { kind: 'layer', epsilon },
    feedForward: { kind: 'plain', activation: 'gelu_new', bias: true },
    block: normed ? 'normed-stream' : 'pre-norm',
    dropout: config.hidden_dropout,
    head: decoderHead(config, 'BloomModel'),
    layout: 'out-in',
    init: { std: config.initializer_range },
  };
}

/**
 * BLOOM: a decoder of pre-norm blocks with ALiBi, a norm after the embeddings, and a head tied to them.
 *
 * Its checkpoints hold queries, keys and values head by head in one matrix.
 *
 * @see Le Scao et al. 2022, https://arxiv.org/abs/2211.05100
 */
export const bloom: ModelFamily<BloomConfig> = {
  modelType: 'bloom',
  parseConfig(json, name = 'config.json') {
    const config = own.parse(json, name);
    checkDivides(name, 'hidden_size', config.hidden_size, 'n_head', config.n_head);
    return config;
  },
  settings: own,
  configJson: (config) => ({ architectures: ['BloomForCausalLM'], ...config }),
  preset,
  keys: ({ n_head: heads, hidden_size: dim }) => [
    ['tokens', 'transformer.word_embeddings'],
    ['embeddingNorm', 'transformer.word_embeddings_layernorm'],
    ['blocks.#.norm1', 'transformer.h.#.input_layernorm'],
    [
      'blocks.#.attn.qkv',
      'transformer.h.#.self_attention.query_key_value',
      () => groupedHeads(heads, heads, dim / heads),
    ],
    ['blocks.#.attn.outProj', 'transformer.h.#.self_attention.dense'],
    ['blocks.#.norm2', 'transformer.h.#.post_attention_layernorm'],
    ['blocks.#.mlp.up', 'transformer.h.#.mlp.dense_h_to_4h'],
    ['blocks.#.mlp.down', 'transformer.h.#.mlp.dense_4h_to_h'],
    ['norm', 'transformer.ln_f'],
    ['head', 'lm_head'],
  ],
  keyPrefix: 'transformer.',
  copies: headCopy('transformer.word_embeddings.weight'),
  fitted: fittedHead('BloomModel', 'BloomForCausalLM'),
  ignoredKeys: /^$/,
};
