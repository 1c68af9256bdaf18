import { InputError } from '@headwise/core';
import { z } from 'zod';
import type { ModelFamily } from '../family.js';
import { depth, rate, size } from '../fields.js';
import { type ActivationName, activation, activationOf } from './shared/activations.js';
import {
  type DecoderConfig,
  decoderFamily,
  headDimOf,
  noRope,
  withScores,
} from './shared/decoder-family.js';

/** Hugging Face's `GPTJConfig`, with its sizes by their general names; other keys are kept as they are. */
export interface GPTJConfig extends DecoderConfig {
  model_type: 'gptj';
  /** `R`: how many of a head's first channels turn. */
  rotary_dim: number;
  /** `F`; null or absent: `4 D`. */
  n_inner?: number | null | undefined;
  activation_function: ActivationName;
  resid_pdrop: number;
  embd_pdrop: number;
  attn_pdrop: number;
  layer_norm_epsilon: number;
}

/**
 * GPT-J: parallel blocks with one layer norm, rotary positions of neighbouring channels, and a head with a bias.
 *
 * @see Wang and Komatsuzaki 2021, GPT-J-6B
 */
export const gptj: ModelFamily<GPTJConfig> = decoderFamily<GPTJConfig>({
  modelType: 'gptj',
  className: 'GPTJ',
  shape: {
    vocab_size: size.default(50400),
    num_hidden_layers: depth.default(28),
    num_attention_heads: size.default(16),
    num_key_value_heads: undefined,
    head_dim: undefined,
    pad_token_id: undefined,
    intermediate_size: undefined,
    n_inner: size.nullish(),
    hidden_act: undefined,
    activation_function: activation('gelu_new'),
    attention_dropout: undefined,
    attn_pdrop: rate.default(0),
    resid_pdrop: rate.default(0),
    embd_pdrop: rate.default(0),
    rms_norm_eps: undefined,
    layer_norm_epsilon: z.number().positive().default(1e-5),
    rotary_dim: size.default(64),
    ...noRope,
  },
  names: {
    aliases: {
      n_embd: 'hidden_size',
      n_positions: 'max_position_embeddings',
      n_head: 'num_attention_heads',
      n_layer: 'num_hidden_layers',
    },
    kept: [
      ...['n_ctx', 'pad_token_id', 'rotary', 'scale_attn_weights'],
      ...['summary_activation', 'summary_first_dropout', 'summary_proj_to_labels'],
      ...['summary_type', 'summary_use_proj'],
    ],
  },
  parts: (config, llama) => ({
    ...llama,
    embedding: { dropout: config.embd_pdrop },
    position: { kind: 'rotary', rotaryDim: config.rotary_dim, layout: 'interleaved' },
    heads: { ...llama.heads, dropout: config.attn_pdrop },
    norm: { kind: 'layer', epsilon: config.layer_norm_epsilon },
    feedForward: {
      kind: 'plain',
      hidden: config.n_inner ?? 4 * config.hidden_size,
      activation: activationOf(config.activation_function),
      bias: true,
    },
    block: 'parallel',
    dropout: config.resid_pdrop,
    head: withScores(llama.head, { bias: true }),
  }),
  keys: () => [
    ['tokens', 'transformer.wte'],
    ['blocks.#.norm1', 'transformer.h.#.ln_1'],
    ['blocks.#.attn.qProj', 'transformer.h.#.attn.q_proj'],
    ['blocks.#.attn.kProj', 'transformer.h.#.attn.k_proj'],
    ['blocks.#.attn.vProj', 'transformer.h.#.attn.v_proj'],
    ['blocks.#.attn.outProj', 'transformer.h.#.attn.out_proj'],
    ['blocks.#.mlp.up', 'transformer.h.#.mlp.fc_in'],
    ['blocks.#.mlp.down', 'transformer.h.#.mlp.fc_out'],
    ['norm', 'transformer.ln_f'],
  ],
  keyPrefix: 'transformer.',
  table: 'transformer.wte.weight',
  check(config, name) {
    const { rotary_dim: turned } = config;
    const width = headDimOf(config);
    if (turned % 2 === 0 && turned <= width) return;
    throw new InputError(
      `${name}: 'rotary_dim' is ${turned}; expected an even number up to the head's width of ${width}`,
    );
  },
});
