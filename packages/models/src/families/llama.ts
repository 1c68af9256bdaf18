import { InputError } from '@headwise/core';
import { z } from 'zod';
import type { ModelConfiguration } from '../build/model-configuration.js';
import type { KeyTable, ModelFamily } from '../family.js';
import { architecture, depth, rate, size, tokenId } from '../fields.js';
import { checkDivides } from '../parse-with.js';
import { type ActivationName, activation, activationOf } from './shared/activations.js';
import { decoderHead, fittedHead, headCopy, paddingRow } from './shared/decoder-head.js';
import { checkRope, type RopeSettings, readRope, ropeShape } from './shared/rope.js';
import { settings } from './shared/settings.js';

/** Hugging Face's `LlamaConfig`, `MistralConfig` and `Qwen2Config`; other keys are kept as they are. */
export interface LlamaConfig extends RopeSettings {
  [key: string]: unknown;
  model_type: 'llama' | 'mistral' | 'qwen2';
  /** `V` */
  vocab_size: number;
  /** `D` */
  hidden_size: number;
  /** `F` */
  intermediate_size: number;
  /** `L` */
  num_hidden_layers: number;
  /** `H` */
  num_attention_heads: number;
  /** `Hkv`; null: `H`. */
  num_key_value_heads: number | null;
  /** `Dh`; null or absent: `D / H`. */
  head_dim?: number | null | undefined;
  hidden_act: ActivationName;
  max_position_embeddings: number;
  /** The padding embedding gets no gradient from lookups. */
  pad_token_id?: number | null | undefined;
  initializer_range: number;
  rms_norm_eps: number;
  tie_word_embeddings: boolean;
  attention_dropout: number;
  architectures?: readonly [string] | undefined;
  /** LLaMA: of all four projections of attention. */
  attention_bias: boolean;
  /** LLaMA: of the feed-forward layer. */
  mlp_bias: boolean;
  /** Mistral and Qwen2: how many tokens a query sees; null: all before it. */
  sliding_window?: number | null | undefined;
  /** Qwen2: whether there is a window at all. */
  use_sliding_window: boolean;
  /** Qwen2: the layers below this one see all tokens. */
  max_window_layers: number;
  /** Qwen2: the same, layer by layer. */
  layer_types?: ('full_attention' | 'sliding_attention')[] | null | undefined;
}

const common = {
  hidden_size: size.default(4096),
  num_hidden_layers: depth.default(32),
  num_attention_heads: size.default(32),
  head_dim: size.nullish(),
  hidden_act: activation('silu'),
  initializer_range: z.number().nonnegative().default(0.02),
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  attention_dropout: rate.default(0),
  pad_token_id: tokenId.nullish(),
  ...ropeShape,
  // Weights in fewer bits are made here, not read.
  quantization_config: z.null().optional(),
};

/** What a family of this file has not: refused where it is asked for. */
const without = z.literal(false).default(false);
const noWindow = {
  sliding_window: z.null().optional(),
  use_sliding_window: without,
  max_window_layers: z.number().int().default(0),
  layer_types: z.array(z.literal('full_attention')).nullish(),
};

const schemas = {
  llama: settings<LlamaConfig>(
    {
      model_type: z.literal('llama').default('llama'),
      architectures: architecture('LlamaModel', 'LlamaForCausalLM'),
      vocab_size: size.default(32000),
      intermediate_size: size.default(11008),
      num_key_value_heads: size.nullable().default(null),
      max_position_embeddings: size.default(2048),
      attention_bias: z.boolean().default(false),
      mlp_bias: z.boolean().default(false),
      ...common,
      ...noWindow,
    },
    { kept: ['pretraining_tp'] },
  ),
  mistral: settings<LlamaConfig>({
    model_type: z.literal('mistral').default('mistral'),
    architectures: architecture('MistralModel', 'MistralForCausalLM'),
    vocab_size: size.default(32000),
    intermediate_size: size.default(14336),
    num_key_value_heads: size.nullable().default(8),
    max_position_embeddings: size.default(131072),
    attention_bias: without,
    mlp_bias: without,
    ...common,
    ...noWindow,
    sliding_window: size.nullable().default(4096),
  }),
  qwen2: settings<LlamaConfig>({
    model_type: z.literal('qwen2').default('qwen2'),
    architectures: architecture('Qwen2Model', 'Qwen2ForCausalLM'),
    vocab_size: size.default(151936),
    intermediate_size: size.default(22016),
    num_key_value_heads: size.nullable().default(32),
    max_position_embeddings: size.default(32768),
    attention_bias: without,
    mlp_bias: without,
    ...common,
    sliding_window: size.nullable().default(4096),
    use_sliding_window: z.boolean().default(false),
    max_window_layers: z.number().int().min(0).default(28),
    layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
  }),
};

/** The window of every layer, for those of Qwen2 that have one. */
function windowOf(config: LlamaConfig): (number | null)[] | number | null {
  const { sliding_window: window = null, layer_types: types, max_window_layers: first } = config;
  if (config.model_type !== 'qwen2') return window;
  if (!config.use_sliding_window) return null;
  return Array.from({ length: config.num_hidden_layers }, (_, i) =>
    (types ? types[i] === 'sliding_attention' : i >= first) ? window : null,
  );
}

/** What the names of transformers' classes begin with. */
const classes = { llama: 'Llama', mistral: 'Mistral', qwen2: 'Qwen2' } as const;

const headDim = ({ head_dim, hidden_size, num_attention_heads }: LlamaConfig): number =>
  head_dim ?? hidden_size / num_attention_heads;

const padIdOf = ({ pad_token_id, vocab_size }: LlamaConfig, name = 'config.json') =>
  paddingRow(pad_token_id, vocab_size, name);

const ropeOf = (config: LlamaConfig, name = 'config.json') =>
  readRope(config, config.max_position_embeddings, name);

function preset(config: LlamaConfig): ModelConfiguration {
  const { attention_bias: bias } = config;
  const { position, maxLength } = ropeOf(config);
  return {
    model_type: 'headwise',
    topology: 'decoder',
    vocabSize: config.vocab_size,
    maxLength,
    dim: config.hidden_size,
    layers: config.num_hidden_layers,
    embedding: { padId: padIdOf(config) },
    position,
    heads: {
      count: config.num_attention_heads,
      kv: config.num_key_value_heads ?? config.num_attention_heads,
      dim: headDim(config),
      bias: { qkv: config.model_type === 'qwen2' || bias, out: bias },
      window: windowOf(config),
      dropout: config.attention_dropout,
    },
    norm: { kind: 'rms', epsilon: config.rms_norm_eps },
    feedForward: {
      kind: 'gated',
      hidden: config.intermediate_size,
      activation: activationOf(config.hidden_act),
      bias: config.mlp_bias,
    },
    block: 'pre-norm',
    head: decoderHead(config, `${classes[config.model_type]}Model`),
    layout: 'out-in',
    init: { std: config.initializer_range },
  };
}

const keys: KeyTable = [
  ['tokens', 'model.embed_tokens'],
  ['blocks.#.norm1', 'model.layers.#.input_layernorm'],
  ['blocks.#.attn.qProj', 'model.layers.#.self_attn.q_proj'],
  ['blocks.#.attn.kProj', 'model.layers.#.self_attn.k_proj'],
  ['blocks.#.attn.vProj', 'model.layers.#.self_attn.v_proj'],
  ['blocks.#.attn.outProj', 'model.layers.#.self_attn.o_proj'],
  ['blocks.#.norm2', 'model.layers.#.post_attention_layernorm'],
  ['blocks.#.mlp.gate', 'model.layers.#.mlp.gate_proj'],
  ['blocks.#.mlp.up', 'model.layers.#.mlp.up_proj'],
  ['blocks.#.mlp.down', 'model.layers.#.mlp.down_proj'],
  ['norm', 'model.norm'],
  ['head', 'lm_head'],
];

function familyOf(modelType: LlamaConfig['model_type']): ModelFamily<LlamaConfig> {
  const bare = `${classes[modelType]}Model`;
  const whole = `${classes[modelType]}ForCausalLM`;
  return {
    modelType,
    parseConfig(json, name = 'config.json') {
      const config = schemas[modelType].parse(json, name);
      const { hidden_size: dim, num_attention_heads: heads, num_key_value_heads: kv } = config;
      if (config.head_dim == null) {
        checkDivides(name, 'hidden_size', dim, 'num_attention_heads', heads);
      }
      checkDivides(name, 'num_attention_heads', heads, 'num_key_value_heads', kv ?? heads);
      const { layer_types: types, num_hidden_layers: layers } = config;
      if (types && types.length !== layers) {
        throw new InputError(
          `${name}: 'layer_types' has ${types.length} entries; expected one for each of ${layers} layers`,
        );
      }
      checkRope(ropeOf(config, name), headDim(config), name);
      padIdOf(config, name);
      return config;
    },
    settings: schemas[modelType],
    configJson: (config) => ({ architectures: [whole], ...config }),
    preset,
    keys: () => keys,
    keyPrefix: 'model.',
    copies: headCopy('model.embed_tokens.weight'),
    fitted: fittedHead(bare, whole),
    ignoredKeys: /\.rotary_emb\.inv_freq$/,
  };
}

/**
 * LLaMA 1 to 3: a decoder of pre-norm blocks with RMS norm, rotary positions, grouped heads and SwiGLU.
 *
 * @see Touvron et al. 2023, https://arxiv.org/abs/2302.13971; Grattafiori et al. 2024, https://arxiv.org/abs/2407.21783
 */
export const llama: ModelFamily<LlamaConfig> = familyOf('llama');

/**
 * Mistral: LLaMA whose queries see a window of tokens.
 *
 * @see Jiang et al. 2023, https://arxiv.org/abs/2310.06825
 */
export const mistral: ModelFamily<LlamaConfig> = familyOf('mistral');

/**
 * Qwen2: LLaMA with biases of queries, keys and values, and a window in its upper layers where it is asked for.
 *
 * @see Yang et al. 2024, https://arxiv.org/abs/2407.10671
 */
export const qwen2: ModelFamily<LlamaConfig> = familyOf('qwen2');
