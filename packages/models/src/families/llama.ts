import { z } from 'zod';
import type { ModelFamily } from '../family.js';
import { size } from '../fields.js';
import {
  type DecoderConfig,
  decoderFamily,
  type LayerType,
  layerTypes,
  windowsOf,
  without,
} from './shared/decoder-family.js';

/** Hugging Face's `LlamaConfig`, `MistralConfig`, `Qwen2Config` and `Qwen3Config`; other keys are kept as they are. */
export interface LlamaConfig extends DecoderConfig {
  model_type: 'llama' | 'mistral' | 'qwen2' | 'qwen3';
  rms_norm_eps: number;
  /** LLaMA and Qwen3: of all four projections of attention. */
  attention_bias: boolean;
  /** LLaMA: of the feed-forward layer. */
  mlp_bias: boolean;
  /** Mistral, Qwen2 and Qwen3: how many tokens a query sees; null: all before it. */
  sliding_window?: number | null | undefined;
  /** Qwen2 and Qwen3: whether there is a window at all. */
  use_sliding_window: boolean;
  /** Qwen2 and Qwen3: the layers below this one see all tokens. */
  max_window_layers: number;
  /** Qwen2 and Qwen3: the same, layer by layer. */
  layer_types?: readonly LayerType[] | null | undefined;
}

const noWindow = {
  sliding_window: z.null().optional(),
  use_sliding_window: without,
  max_window_layers: z.number().int().default(0),
  layer_types: z.array(z.literal('full_attention')).nullish(),
};

/**
 * LLaMA 1 to 3: a decoder of pre-norm blocks with RMS norm, rotary positions, grouped heads and SwiGLU.
 *
 * @see Touvron et al. 2023, https://arxiv.org/abs/2302.13971; Grattafiori et al. 2024, https://arxiv.org/abs/2407.21783
 */
export const llama: ModelFamily<LlamaConfig> = decoderFamily<LlamaConfig>({
  modelType: 'llama',
  className: 'Llama',
  shape: {
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    ...noWindow,
  },
  names: { kept: ['pretraining_tp'] },
  parts: ({ attention_bias: bias, mlp_bias }, llama) => ({
    ...llama,
    heads: { ...llama.heads, bias: { qkv: bias, out: bias } },
    feedForward: { ...llama.feedForward, bias: mlp_bias },
  }),
});

/**
 * Mistral: LLaMA whose queries see a window of tokens.
 *
 * @see Jiang et al. 2023, https://arxiv.org/abs/2310.06825
 */
export const mistral: ModelFamily<LlamaConfig> = decoderFamily<LlamaConfig>({
  modelType: 'mistral',
  className: 'Mistral',
  shape: {
    intermediate_size: size.default(14336),
    num_key_value_heads: size.nullable().default(8),
    max_position_embeddings: size.default(131072),
    attention_bias: without,
    mlp_bias: without,
    ...noWindow,
    sliding_window: size.nullable().default(4096),
  },
  parts: ({ sliding_window: window = null }, llama) => ({
    ...llama,
    heads: { ...llama.heads, window },
  }),
});

const qwen = {
  vocab_size: size.default(151936),
  intermediate_size: size.default(22016),
  num_key_value_heads: size.nullable().default(32),
  max_position_embeddings: size.default(32768),
  mlp_bias: without,
  sliding_window: size.nullable().default(4096),
  use_sliding_window: z.boolean().default(false),
  max_window_layers: z.number().int().min(0).default(28),
  layer_types: layerTypes,
};

/** The window of every layer, for those that have one. */
function windowOf(config: LlamaConfig): (number | null)[] | null {
  const { layer_types: types, max_window_layers: first, num_hidden_layers: layers } = config;
  if (!config.use_sliding_window) return null;
  const upper = (i: number): LayerType => (i >= first ? 'sliding_attention' : 'full_attention');
  const all = types ?? Array.from({ length: layers }, (_, i) => upper(i));
  return windowsOf(all, config.sliding_window);
}

/**
 * Qwen2: LLaMA with biases of queries, keys and values, and a window in its upper layers where it is asked for.
 *
 * @see Yang et al. 2024, https://arxiv.org/abs/2407.10671
 */
export const qwen2: ModelFamily<LlamaConfig> = decoderFamily<LlamaConfig>({
  modelType: 'qwen2',
  className: 'Qwen2',
  shape: { ...qwen, attention_bias: without },
  parts: (config, llama) => ({
    ...llama,
    heads: { ...llama.heads, bias: { qkv: true, out: false }, window: windowOf(config) },
  }),
});

/**
 * Qwen3, the dense models: Qwen2 without biases, whose queries and keys are normalised head by head.
 *
 * @see Yang et al. 2025, https://arxiv.org/abs/2505.09388
 */
export const qwen3: ModelFamily<LlamaConfig> = decoderFamily<LlamaConfig>({
  modelType: 'qwen3',
  className: 'Qwen3',
  shape: { ...qwen, head_dim: size.default(128), attention_bias: z.boolean().default(false) },
  parts: (config, llama) => ({
    ...llama,
    heads: {
      ...llama.heads,
      bias: { qkv: config.attention_bias, out: config.attention_bias },
      qkNorm: true,
      window: windowOf(config),
    },
  }),
});
