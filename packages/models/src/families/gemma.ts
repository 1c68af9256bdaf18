import { InputError, quoted } from '@headwise/core';
import { z } from 'zod';
import type { ModelConfiguration } from '../build/model-configuration.js';
import type { KeyTable, ModelFamily } from '../family.js';
import { depth, size, tokenId } from '../fields.js';
import { type ActivationName, activation, activationOf } from './shared/activations.js';
import {
  type DecoderConfig,
  decoderFamily,
  type LayerType,
  type LlamaParts,
  layerTypes,
  noRope,
  typesOf,
  windowsOf,
  withScores,
} from './shared/decoder-family.js';
import { layeredRopeShape, readLayeredRope } from './shared/rope.js';

/** Hugging Face's `GemmaConfig`, `Gemma2Config` and `Gemma3TextConfig`; other keys are kept as they are. */
export interface GemmaConfig extends DecoderConfig {
  model_type: 'gemma' | 'gemma2' | 'gemma3_text';
  /** Of all four projections of attention. */
  attention_bias: boolean;
  /** Gemma 2 and 3; Gemma reads `hidden_act`. */
  hidden_activation?: ActivationName | null | undefined;
  /** Gemma 2 and 3: scores are divided by its root. */
  query_pre_attn_scalar: number;
  /** Gemma 2 and 3: how many tokens a query sees in layers with a window. */
  sliding_window?: number | null | undefined;
  layer_types?: readonly LayerType[] | null | undefined;
  /** Gemma 3: of so many layers, one sees all tokens. */
  sliding_window_pattern: number;
  /** Gemma 2 and 3: c of the scores of tokens, `c tanh(s / c)`. */
  final_logit_softcapping?: number | null | undefined;
  /** Gemma 2: c of the scores of attention. */
  attn_logit_softcapping?: number | null | undefined;
}

const positive = z.number().positive();
const common = {
  vocab_size: size.default(256000),
  max_position_embeddings: size.default(8192),
  head_dim: size.default(256),
  tie_word_embeddings: z.boolean().default(true),
  pad_token_id: tokenId.nullable().default(0),
  attention_bias: z.boolean().default(false),
  use_bidirectional_attention: z.literal(false).nullish(),
};

/** Embeddings times `√D`, and norms whose weights are learned around 0. */
const gemmaParts = (config: GemmaConfig, llama: LlamaParts): LlamaParts => ({
  ...llama,
  embedding: { ...llama.embedding, scale: Math.sqrt(config.hidden_size) },
  heads: { ...llama.heads, bias: { qkv: config.attention_bias, out: config.attention_bias } },
  norm: { kind: 'rms', epsilon: config.rms_norm_eps, offset: 1 },
});

/**
 * Gemma: LLaMA with embeddings times the root of their width, norms by `1 + w`, and wide heads.
 *
 * @see Gemma Team 2024, https://arxiv.org/abs/2403.08295
 */
export const gemma: ModelFamily<GemmaConfig> = decoderFamily<GemmaConfig>({
  modelType: 'gemma',
  className: 'Gemma',
  shape: {
    ...common,
    hidden_size: size.default(3072),
    intermediate_size: size.default(24576),
    num_hidden_layers: depth.default(28),
    num_attention_heads: size.default(16),
    num_key_value_heads: size.default(16),
    // The first files say `gelu` and mean its approximation.
    hidden_act: activation('gelu_pytorch_tanh').transform((name) =>
      name === 'gelu' ? 'gelu_pytorch_tanh' : name,
    ),
    hidden_activation: z.literal('gelu_pytorch_tanh').nullish(),
  },
  parts: gemmaParts,
});

const laterShape = {
  ...common,
  hidden_size: size.default(2304),
  intermediate_size: size.default(9216),
  num_hidden_layers: depth.default(26),
  num_attention_heads: size.default(8),
  num_key_value_heads: size.default(4),
  hidden_act: z.enum(['gelu', 'gelu_pytorch_tanh']).optional(),
  hidden_activation: activation('gelu_pytorch_tanh'),
  query_pre_attn_scalar: positive.default(256),
  sliding_window: size.nullable().default(4096),
  layer_types: layerTypes,
};

const laterKeys: KeyTable = [
  ['blocks.#.mixNorm', 'model.layers.#.post_attention_layernorm'],
  ['blocks.#.norm2', 'model.layers.#.pre_feedforward_layernorm'],
  ['blocks.#.mlpNorm', 'model.layers.#.post_feedforward_layernorm'],
];

/** What Gemma 2 and 3 have besides: norms around both parts, windows by layer, and a scale of their own. */
function laterParts(
  config: GemmaConfig,
  llama: LlamaParts,
  types: readonly LayerType[],
): ModelConfiguration {
  const parts = gemmaParts(config, llama);
  return {
    ...parts,
    heads: { ...parts.heads, window: windowsOf(types, config.sliding_window) },
    score: {
      kind: 'scaled-dot-product',
      scale: config.query_pre_attn_scalar ** -0.5,
      softCap: config.attn_logit_softcapping ?? undefined,
    },
    feedForward: {
      kind: 'gated',
      hidden: config.intermediate_size,
      activation: activationOf(config.hidden_activation!),
      bias: false,
    },
    block: 'sandwich-norm',
    head: withScores(parts.head, { softCap: config.final_logit_softcapping ?? undefined }),
  };
}

/**
 * Gemma 2: Gemma with norms before and after each part, capped scores, and a window in every second layer.
 *
 * @see Gemma Team 2024, https://arxiv.org/abs/2408.00118
 */
export const gemma2: ModelFamily<GemmaConfig> = decoderFamily<GemmaConfig>({
  modelType: 'gemma2',
  className: 'Gemma2',
  shape: {
    ...laterShape,
    final_logit_softcapping: positive.nullable().default(30),
    attn_logit_softcapping: positive.nullable().default(50),
  },
  names: { kept: ['cache_implementation'] },
  parts: (config, llama) => laterParts(config, llama, typesOf(config, 2)),
  keys: () => laterKeys,
});

const thirdTypes = (config: GemmaConfig) => typesOf(config, config.sliding_window_pattern);

/**
 * Gemma 3, the model of texts: Gemma 2 with norms of queries and keys in place of capped scores, five layers with a
 * window to one without, and another rotary base for each of the two.
 *
 * @see Gemma Team 2025, https://arxiv.org/abs/2503.19786
 */
export const gemma3Text: ModelFamily<GemmaConfig> = decoderFamily<GemmaConfig>({
  modelType: 'gemma3_text',
  className: 'Gemma3',
  bare: 'Gemma3TextModel',
  shape: {
    ...laterShape,
    vocab_size: size.default(262208),
    max_position_embeddings: size.default(131072),
    sliding_window_pattern: size.default(6),
    final_logit_softcapping: positive.nullish(),
    // transformers reads it and does not apply it.
    attn_logit_softcapping: z.null().optional(),
    ...noRope,
    ...layeredRopeShape,
  },
  names: { kept: ['cache_implementation'] },
  rope: (config, name) =>
    readLayeredRope(config as never, config.max_position_embeddings, {
      bases: { global: 1_000_000, local: 10_000 },
      isLocal: thirdTypes(config).map((type) => type === 'sliding_attention'),
      name,
    }),
  parts(config, llama) {
    const parts = laterParts(config, llama, thirdTypes(config));
    return { ...parts, heads: { ...parts.heads, qkNorm: true } };
  },
  keys: () => laterKeys,
});

/**
 * The text half of Gemma 3's models of texts and pictures, whose settings stand in `text_config`; the tensors of the other half
 * are not read. It is saved as a model of texts.
 */
export const gemma3: ModelFamily<GemmaConfig> = {
  ...gemma3Text,
  modelType: 'gemma3',
  parseConfig(json, name = 'config.json') {
    const { text_config: texts } = json as { text_config?: unknown };
    if (typeof texts !== 'object' || texts === null || Array.isArray(texts)) {
      throw new InputError(
        `${name}: 'text_config' is ${quoted(texts)}; expected the settings of 'gemma3_text'`,
      );
    }
    const { model_type: type = 'gemma3_text' } = texts as { model_type?: unknown };
    // The class is that of both halves.
    return gemma3Text.parseConfig({ ...texts, model_type: type, architectures: null }, name);
  },
  settings: undefined,
  oldKey: (key) => `language_model.${key}`,
};
