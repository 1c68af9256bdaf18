import { InputError } from '@headwise/core';
import { z } from 'zod';
import type { ModelFamily } from '../family.js';
import { depth, rate, size, tokenId } from '../fields.js';
import { type ActivationName, activation, activationOf } from './shared/activations.js';
import { type DecoderConfig, decoderFamily, noRope } from './shared/decoder-family.js';

/** Hugging Face's `OPTConfig`; other keys are kept as they are. */
export interface OPTConfig extends DecoderConfig {
  model_type: 'opt';
  /** `F` */
  ffn_dim: number;
  activation_function: ActivationName;
  /** Norms before each part, as in all but OPT 350m. */
  do_layer_norm_before: boolean;
  _remove_final_layer_norm: boolean;
  dropout: number;
  init_std: number;
  /** Of every linear map but the head. */
  enable_bias: boolean;
}

/**
 * OPT: a decoder with learned positions that begin at the third row of their table, and ReLU.
 *
 * @see Zhang et al. 2022, https://arxiv.org/abs/2205.01068
 */
export const opt: ModelFamily<OPTConfig> = decoderFamily<OPTConfig>({
  modelType: 'opt',
  className: 'OPT',
  shape: {
    vocab_size: size.default(50272),
    hidden_size: size.default(768),
    num_hidden_layers: depth.default(12),
    num_attention_heads: size.default(12),
    num_key_value_heads: undefined,
    head_dim: undefined,
    intermediate_size: undefined,
    ffn_dim: size.default(3072),
    hidden_act: undefined,
    activation_function: activation('relu'),
    rms_norm_eps: undefined,
    initializer_range: undefined,
    init_std: z.number().nonnegative().default(0.02),
    do_layer_norm_before: z.boolean().default(true),
    _remove_final_layer_norm: z.boolean().default(false),
    word_embed_proj_dim: size.nullish(),
    dropout: rate.default(0.1),
    layerdrop: z.literal(0).default(0),
    enable_bias: z.boolean().default(true),
    layer_norm_elementwise_affine: z.literal(true).default(true),
    pad_token_id: tokenId.nullable().default(1),
    tie_word_embeddings: z.boolean().default(true),
    ...noRope,
  },
  names: { kept: ['activation_dropout'] },
  parts: (config, llama) => ({
    ...llama,
    position: { kind: 'learned', offset: 2 },
    heads: { ...llama.heads, bias: { qkv: config.enable_bias, out: config.enable_bias } },
    norm: { kind: 'layer' },
    feedForward: {
      kind: 'plain',
      hidden: config.ffn_dim,
      activation: activationOf(config.activation_function),
      bias: config.enable_bias,
    },
    block: config.do_layer_norm_before ? 'pre-norm' : 'post-norm',
    finalNorm: config.do_layer_norm_before && !config._remove_final_layer_norm,
    dropout: config.dropout,
    init: { std: config.init_std },
  }),
  keys: () => [
    ['tokens', 'model.decoder.embed_tokens'],
    ['positions', 'model.decoder.embed_positions'],
    ['blocks.#.norm1', 'model.decoder.layers.#.self_attn_layer_norm'],
    ['blocks.#.attn.qProj', 'model.decoder.layers.#.self_attn.q_proj'],
    ['blocks.#.attn.kProj', 'model.decoder.layers.#.self_attn.k_proj'],
    ['blocks.#.attn.vProj', 'model.decoder.layers.#.self_attn.v_proj'],
    ['blocks.#.attn.outProj', 'model.decoder.layers.#.self_attn.out_proj'],
    ['blocks.#.norm2', 'model.decoder.layers.#.final_layer_norm'],
    ['blocks.#.mlp.up', 'model.decoder.layers.#.fc1'],
    ['blocks.#.mlp.down', 'model.decoder.layers.#.fc2'],
    ['norm', 'model.decoder.final_layer_norm'],
  ],
  table: 'model.decoder.embed_tokens.weight',
  check({ word_embed_proj_dim: width, hidden_size: dim }, name) {
    if (width == null || width === dim) return;
    throw new InputError(
      `${name}: 'word_embed_proj_dim' is ${width}: embeddings narrower than the model are not built; expected 'hidden_size', ${dim}`,
    );
  },
});
