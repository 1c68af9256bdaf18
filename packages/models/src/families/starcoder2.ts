import { z } from 'zod';
import type { ModelFamily } from '../family.js';
import { depth, rate, size } from '../fields.js';
import { activation, activationOf } from './shared/activations.js';
import { type DecoderConfig, decoderFamily } from './shared/decoder-family.js';

/** Hugging Face's `Starcoder2Config`; other keys are kept as they are. */
export interface Starcoder2Config extends DecoderConfig {
  model_type: 'starcoder2';
  norm_epsilon: number;
  /** Of every linear map but the head. */
  use_bias: boolean;
  residual_dropout: number;
  embedding_dropout: number;
  /** How many tokens a query sees; null: all before it. */
  sliding_window?: number | null | undefined;
}

/**
 * StarCoder2: grouped heads, rotary positions and a window, with layer norms, biases and a plain feed-forward layer.
 *
 * @see Lozhkov et al. 2024, https://arxiv.org/abs/2402.19173
 */
export const starCoder2: ModelFamily<Starcoder2Config> = decoderFamily<Starcoder2Config>({
  modelType: 'starcoder2',
  className: 'Starcoder2',
  shape: {
    vocab_size: size.default(49152),
    hidden_size: size.default(3072),
    intermediate_size: size.default(12288),
    num_hidden_layers: depth.default(30),
    num_attention_heads: size.default(24),
    num_key_value_heads: size.nullable().default(2),
    hidden_act: activation('gelu_pytorch_tanh'),
    max_position_embeddings: size.default(4096),
    initializer_range: z.number().nonnegative().default(0.018042),
    rms_norm_eps: undefined,
    norm_epsilon: z.number().positive().default(1e-5),
    use_bias: z.boolean().default(true),
    residual_dropout: rate.default(0),
    embedding_dropout: rate.default(0),
    sliding_window: size.nullish(),
    tie_word_embeddings: z.boolean().default(true),
  },
  names: { kept: ['mlp_type', 'norm_type'] },
  parts: (config, llama) => ({
    ...llama,
    embedding: { ...llama.embedding, dropout: config.embedding_dropout },
    heads: {
      ...llama.heads,
      bias: { qkv: config.use_bias, out: config.use_bias },
      window: config.sliding_window ?? null,
    },
    norm: { kind: 'layer', epsilon: config.norm_epsilon },
    feedForward: {
      kind: 'plain',
      hidden: config.intermediate_size,
      activation: activationOf(config.hidden_act),
      bias: config.use_bias,
    },
    dropout: config.residual_dropout,
  }),
  keys: () => [
    ['blocks.#.mlp.up', 'model.layers.#.mlp.c_fc'],
    ['blocks.#.mlp.down', 'model.layers.#.mlp.c_proj'],
  ],
});
