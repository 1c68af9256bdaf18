import { InputError } from '@headwise/core';
import { z } from 'zod';
import type { ModelFamily } from '../family.js';
import { depth, rate, size, tokenId } from '../fields.js';
import { activation, activationOf } from './shared/activations.js';
import { type DecoderConfig, decoderFamily, withScores } from './shared/decoder-family.js';
import { partialRopeShape, readRope } from './shared/rope.js';

/** Hugging Face's `PhiConfig` and `Phi3Config`; other keys are kept as they are. */
export interface PhiConfig extends DecoderConfig {
  model_type: 'phi' | 'phi3';
  /** Of what is added to the residual stream. */
  resid_pdrop: number;
  embd_pdrop: number;
  /** Phi: of its layer norms. */
  layer_norm_eps: number;
  /** Phi: whether each head's queries and keys are normalised. */
  qk_layernorm: boolean;
  /** Phi-3: how many tokens a query sees; null: all before it. */
  sliding_window?: number | null | undefined;
}

const dropouts = { resid_pdrop: rate.default(0), embd_pdrop: rate.default(0) };

/**
 * Phi-1, 1.5 and 2: parallel blocks with one layer norm, biases everywhere, and rotary positions of half of each head.
 *
 * @see Li et al. 2023, https://arxiv.org/abs/2309.05463
 */
export const phi: ModelFamily<PhiConfig> = decoderFamily<PhiConfig>({
  modelType: 'phi',
  className: 'Phi',
  shape: {
    vocab_size: size.default(51200),
    hidden_size: size.default(2048),
    intermediate_size: size.default(8192),
    num_hidden_layers: depth.default(24),
    hidden_act: activation('gelu_new'),
    rms_norm_eps: undefined,
    layer_norm_eps: z.number().positive().default(1e-5),
    qk_layernorm: z.boolean().default(false),
    ...dropouts,
    ...partialRopeShape,
    partial_rotary_factor: z.number().positive().max(1).default(0.5),
  },
  parts: (config, llama) => ({
    ...llama,
    embedding: { ...llama.embedding, dropout: config.embd_pdrop },
    heads: { ...llama.heads, bias: { qkv: true, out: true }, qkNorm: config.qk_layernorm },
    norm: { kind: 'layer', epsilon: config.layer_norm_eps },
    feedForward: {
      kind: 'plain',
      hidden: config.intermediate_size,
      activation: activationOf(config.hidden_act),
      bias: true,
    },
    block: 'parallel',
    dropout: config.resid_pdrop,
    head: withScores(llama.head, { bias: true }),
  }),
  keys: () => [
    ['blocks.#.attn.outProj', 'model.layers.#.self_attn.dense'],
    ['blocks.#.attn.qNorm', 'model.layers.#.self_attn.q_layernorm'],
    ['blocks.#.attn.kNorm', 'model.layers.#.self_attn.k_layernorm'],
    ['blocks.#.mlp.up', 'model.layers.#.mlp.fc1'],
    ['blocks.#.mlp.down', 'model.layers.#.mlp.fc2'],
    ['norm', 'model.final_layernorm'],
  ],
});

/** The first releases' names of LongRoPE. */
function renamed(rule: PhiConfig['rope_scaling']): PhiConfig['rope_scaling'] {
  const type = rule?.rope_type ?? rule?.type;
  return type === 'yarn' || type === 'su' ? { ...rule, rope_type: 'longrope' } : rule;
}

/**
 * Phi-3 and Phi-4-mini: LLaMA with one QKV matrix and one of gate and up, LongRoPE, and perhaps a part of each head that turns.
 *
 * @see Abdin et al. 2024, https://arxiv.org/abs/2404.14219
 */
export const phi3: ModelFamily<PhiConfig> = decoderFamily<PhiConfig>({
  modelType: 'phi3',
  className: 'Phi3',
  shape: {
    vocab_size: size.default(32064),
    hidden_size: size.default(3072),
    intermediate_size: size.default(8192),
    max_position_embeddings: size.default(4096),
    rms_norm_eps: z.number().positive().default(1e-5),
    pad_token_id: tokenId.nullable().default(32000),
    sliding_window: size.nullish(),
    ...dropouts,
    ...partialRopeShape,
    original_max_position_embeddings: size.default(4096),
  },
  names: {
    kept: [
      ...['embd_layer', 'full_attn_mod', 'interpolate_factor'],
      ...['attention_bias', 'lm_head_bias', 'mlp_bias'],
    ],
  },
  rope({ rope_scaling, rope_parameters, ...config }, name) {
    const rules = {
      rope_scaling: renamed(rope_scaling),
      rope_parameters: renamed(rope_parameters),
    };
    const rope = readRope({ ...config, ...rules }, config.max_position_embeddings, name);
    const { rope_type: kind = 'longrope' } = rope.position.scaling ?? {};
    if (kind === 'longrope') return rope;
    throw new InputError(
      `${name}: 'rope_type' is "${kind}"; expected "default" or "longrope" of Phi-3`,
    );
  },
  parts: (config, llama) => ({
    ...llama,
    embedding: { ...llama.embedding, dropout: config.embd_pdrop },
    heads: { ...llama.heads, projection: 'fused', window: config.sliding_window ?? null },
    dropout: config.resid_pdrop,
  }),
  keys: () => [
    ['blocks.#.attn.qkv', 'model.layers.#.self_attn.qkv_proj'],
    ['blocks.#.mlp.gate', 'model.layers.#.mlp.gate_up_proj', { index: 0, of: 2 }],
    ['blocks.#.mlp.up', 'model.layers.#.mlp.gate_up_proj', { index: 1, of: 2 }],
  ],
});
