import { z } from 'zod';
import type { ModelConfiguration } from '../build/model-configuration.js';
import type { KeyTable, ModelFamily } from '../family.js';
import { size, tokenId } from '../fields.js';
import {
  type DecoderConfig,
  decoderFamily,
  type LayerType,
  type LlamaParts,
  layerTypes,
  noRope,
  typesOf,
  windowsOf,
} from './shared/decoder-family.js';
import { layeredRopeShape, readLayeredRope } from './shared/rope.js';

/** Hugging Face's `Olmo2Config` and `Olmo3Config`; other keys are kept as they are. */
export interface OlmoConfig extends DecoderConfig {
  model_type: 'olmo2' | 'olmo3';
  /** Of all four projections of attention. */
  attention_bias: boolean;
  /** OLMo 3: how many tokens a query sees in layers with a window. */
  sliding_window?: number | null | undefined;
  layer_types?: readonly LayerType[] | null | undefined;
}

const common = {
  vocab_size: size.default(50304),
  rms_norm_eps: z.number().positive().default(1e-5),
  pad_token_id: tokenId.nullable().default(1),
  attention_bias: z.boolean().default(false),
};

const keys: KeyTable = [
  ['blocks.#.mixNorm', 'model.layers.#.post_attention_layernorm'],
  ['blocks.#.mlpNorm', 'model.layers.#.post_feedforward_layernorm'],
];

const olmoParts = (config: OlmoConfig, llama: LlamaParts): ModelConfiguration => ({
  ...llama,
  heads: {
    ...llama.heads,
    bias: { qkv: config.attention_bias, out: config.attention_bias },
    qkNorm: 'across-heads',
  },
  block: 'output-norm',
});

/**
 * OLMo 2: LLaMA whose norms are of what each part gives, with a norm of all queries and one of all keys of a token.
 *
 * @see OLMo Team 2024, https://arxiv.org/abs/2501.00656
 */
export const olmo2: ModelFamily<OlmoConfig> = decoderFamily<OlmoConfig>({
  modelType: 'olmo2',
  className: 'Olmo2',
  shape: common,
  parts: olmoParts,
  keys: () => keys,
});

const olmo3Types = (config: OlmoConfig) => typesOf(config, 4);

/**
 * OLMo 3: OLMo 2 with a window in three of four layers; scaling of rotary positions is of the fourth alone.
 *
 * @see OLMo Team 2025, https://arxiv.org/abs/2512.13961
 */
export const olmo3: ModelFamily<OlmoConfig> = decoderFamily<OlmoConfig>({
  modelType: 'olmo3',
  className: 'Olmo3',
  shape: {
    ...common,
    sliding_window: size.nullable().default(4096),
    layer_types: layerTypes,
    ...noRope,
    ...layeredRopeShape,
    rope_local_base_freq: undefined,
  },
  rope: (config, name) =>
    readLayeredRope(config as never, config.max_position_embeddings, {
      bases: { global: 500_000, local: 500_000 },
      isLocal: olmo3Types(config).map((type) => type === 'sliding_attention'),
      name,
    }),
  parts(config, llama) {
    const parts = olmoParts(config, llama);
    const window = windowsOf(olmo3Types(config), config.sliding_window);
    return { ...parts, heads: { ...parts.heads, window } };
  },
  keys: () => keys,
});
