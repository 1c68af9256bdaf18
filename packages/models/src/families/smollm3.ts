import { InputError } from '@headwise/core';
import { z } from 'zod';
import type { ModelFamily } from '../family.js';
import { depth, size, tokenId } from '../fields.js';
import {
  type DecoderConfig,
  decoderFamily,
  type LayerType,
  layerTypes,
  windowsOf,
} from './shared/decoder-family.js';

/** Hugging Face's `SmolLM3Config`; other keys are kept as they are. */
export interface SmolLM3Config extends DecoderConfig {
  model_type: 'smollm3';
  /** Of all four projections of attention. */
  attention_bias: boolean;
  /** Of the feed-forward layer. */
  mlp_bias: boolean;
  /** Of each layer, 1 where it has rotary positions and 0 where it has none; default by the interval. */
  no_rope_layers?: readonly (0 | 1)[] | null | undefined;
  /** Of so many layers, one has no positions. */
  no_rope_layer_interval: number;
  use_sliding_window: boolean;
  sliding_window?: number | null | undefined;
  /** Default: layers without positions have the window. */
  layer_types?: readonly LayerType[] | null | undefined;
}

/** Whether each layer has rotary positions. */
const rotaryLayers = (config: SmolLM3Config): boolean[] =>
  Array.from({ length: config.num_hidden_layers }, (_, i) =>
    config.no_rope_layers
      ? config.no_rope_layers[i] === 1
      : (i + 1) % config.no_rope_layer_interval !== 0,
  );

function windowOf(config: SmolLM3Config): (number | null)[] | null {
  if (!config.use_sliding_window) return null;
  const usual = (turned: boolean): LayerType => (turned ? 'full_attention' : 'sliding_attention');
  return windowsOf(config.layer_types ?? rotaryLayers(config).map(usual), config.sliding_window);
}

/**
 * SmolLM3: LLaMA in which every fourth layer has no positions.
 *
 * @see Bakouch et al. 2025, SmolLM3: smol, multilingual, long-context reasoner
 */
export const smolLM3: ModelFamily<SmolLM3Config> = decoderFamily<SmolLM3Config>({
  modelType: 'smollm3',
  className: 'SmolLM3',
  shape: {
    vocab_size: size.default(128256),
    hidden_size: size.default(2048),
    num_hidden_layers: depth.default(36),
    num_attention_heads: size.default(16),
    num_key_value_heads: size.nullable().default(4),
    max_position_embeddings: size.default(32768),
    pad_token_id: tokenId.nullable().default(128004),
    tie_word_embeddings: z.boolean().default(true),
    rope_theta: z.number().positive().default(2_000_000),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    no_rope_layers: z.array(z.union([z.literal(0), z.literal(1)])).nullish(),
    no_rope_layer_interval: size.default(4),
    use_sliding_window: z.boolean().default(false),
    sliding_window: size.nullish(),
    layer_types: layerTypes,
  },
  names: { kept: ['max_window_layers', 'pretraining_tp'] },
  parts: (config, llama) => ({
    ...llama,
    position: {
      ...llama.position,
      layers: rotaryLayers(config).map((turned) => (turned ? 'global' : 'none')),
    },
    heads: {
      ...llama.heads,
      bias: { qkv: config.attention_bias, out: config.attention_bias },
      window: windowOf(config),
    },
    feedForward: { ...llama.feedForward, bias: config.mlp_bias },
  }),
  check({ no_rope_layers: given, num_hidden_layers: layers }, name) {
    if (!given || given.length >= layers) return;
    throw new InputError(
      `${name}: 'no_rope_layers' has ${given.length} entries; expected one for each of ${layers} layers`,
    );
  },
});
