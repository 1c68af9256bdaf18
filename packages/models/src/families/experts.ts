import { InputError } from '@headwise/core';
import { z } from 'zod';
import type { ExpertsPart } from '../build/model-configuration.js';
import type { KeyTable, ModelFamily } from '../family.js';
import { depth, size } from '../fields.js';
import { activationOf } from './shared/activations.js';
import { type DecoderConfig, decoderFamily } from './shared/decoder-family.js';

/** Settings of a mixture of experts. */
interface ExpertsConfig extends DecoderConfig {
  /** `k`: experts of a token. */
  num_experts_per_tok: number;
  /** Whether the loss counts the balance of the experts. */
  output_router_logits: boolean;
  /** What it counts. */
  router_aux_loss_coef: number;
}

/** Hugging Face's `MixtralConfig`; other keys are kept as they are. */
export interface MixtralConfig extends ExpertsConfig {
  model_type: 'mixtral';
  /** `E` */
  num_local_experts: number;
  /** How many tokens a query sees; null: all before it. */
  sliding_window?: number | null | undefined;
}

/** Hugging Face's `Qwen3MoeConfig`; other keys are kept as they are. */
export interface Qwen3MoeConfig extends ExpertsConfig {
  model_type: 'qwen3_moe';
  /** `E` */
  num_experts: number;
  /** `F` of each expert; `intermediate_size` is that of layers without. */
  moe_intermediate_size: number;
  /** Whether the weights of a token's experts are divided by their sum. */
  norm_topk_prob: boolean;
  /** Experts are in the layers whose number, from 1, this divides. */
  decoder_sparse_step: number;
  /** Layers, from 0, without experts besides. */
  mlp_only_layers: readonly number[];
  attention_bias: boolean;
  use_sliding_window: boolean;
  sliding_window?: number | null | undefined;
}

const balanced = {
  output_router_logits: z.boolean().default(false),
  router_aux_loss_coef: z.number().nonnegative().default(0.001),
};

/** The experts of a layer, from what both families say of them. */
const expertsOf = (
  config: ExpertsConfig,
  own: Pick<ExpertsPart, 'count' | 'hidden' | 'normalize' | 'dense'>,
): ExpertsPart => ({
  kind: 'experts',
  active: config.num_experts_per_tok,
  activation: activationOf(config.hidden_act),
  balance: config.output_router_logits ? config.router_aux_loss_coef : undefined,
  ...own,
});

/** Where the parameters of a layer's experts lie. */
const expertKeys = (
  module: string,
  each: number,
  [gate, up, down]: readonly [string, string, string],
): KeyTable => {
  const layer = `model.layers.#.${module}`;
  return [
    ['blocks.#.mlp.router', `${layer}.gate`],
    ['blocks.#.mlp.experts.gate', `${layer}.experts.*.${gate}`, { each }],
    ['blocks.#.mlp.experts.up', `${layer}.experts.*.${up}`, { each }],
    ['blocks.#.mlp.experts.down', `${layer}.experts.*.${down}`, { each }],
  ];
};

/** Throws where a token has more experts than there are. */
function checkExperts(name: string, config: ExpertsConfig, key: string, count: number): void {
  const { num_experts_per_tok: active } = config;
  if (active <= count) return;
  throw new InputError(
    `${name}: 'num_experts_per_tok' is ${active}; expected at most '${key}' ${count}`,
  );
}

/**
 * Mixtral: Mistral whose feed-forward layers are mixtures of experts.
 *
 * @see Jiang et al. 2024, https://arxiv.org/abs/2401.04088
 */
export const mixtral: ModelFamily<MixtralConfig> = decoderFamily<MixtralConfig>({
  modelType: 'mixtral',
  className: 'Mixtral',
  shape: {
    ...balanced,
    intermediate_size: size.default(14336),
    num_key_value_heads: size.nullable().default(8),
    max_position_embeddings: size.default(131072),
    rms_norm_eps: z.number().positive().default(1e-5),
    rope_theta: z.number().positive().nullable().default(1e6),
    num_local_experts: depth.default(8),
    num_experts_per_tok: size.default(2),
    sliding_window: size.nullish(),
    // Noise on what the router reads in training: not built. transformers takes no 0 that is written as a whole number.
    router_jitter_noise: z
      .literal(0)
      .optional()
      .transform(() => undefined),
  },
  names: { aliases: { num_experts: 'num_local_experts' } },
  parts: (config, llama) => ({
    ...llama,
    heads: { ...llama.heads, window: config.sliding_window ?? null },
    feedForward: expertsOf(config, {
      count: config.num_local_experts,
      hidden: config.intermediate_size,
    }),
  }),
  keys: ({ num_local_experts: each }) => expertKeys('block_sparse_moe', each, ['w1', 'w3', 'w2']),
  check: (config, name) =>
    checkExperts(name, config, 'num_local_experts', config.num_local_experts),
});

/** The layers that have no experts. */
function denseLayers(config: Qwen3MoeConfig): number[] {
  const { num_hidden_layers: layers, decoder_sparse_step: step, mlp_only_layers } = config;
  return Array.from({ length: layers }, (_, i) => i).filter(
    (i) => mlp_only_layers.includes(i) || (i + 1) % step !== 0,
  );
}

/**
 * Qwen3 MoE: Qwen3 whose feed-forward layers are mixtures of many small experts.
 *
 * @see Yang et al. 2025, https://arxiv.org/abs/2505.09388
 */
export const qwen3Moe: ModelFamily<Qwen3MoeConfig> = decoderFamily<Qwen3MoeConfig>({
  modelType: 'qwen3_moe',
  className: 'Qwen3Moe',
  shape: {
    ...balanced,
    vocab_size: size.default(151936),
    hidden_size: size.default(2048),
    intermediate_size: size.default(6144),
    num_hidden_layers: depth.default(24),
    num_key_value_heads: size.nullable().default(4),
    max_position_embeddings: size.default(32768),
    attention_bias: z.boolean().default(false),
    use_sliding_window: z.boolean().default(false),
    sliding_window: size.nullable().default(4096),
    decoder_sparse_step: size.default(1),
    moe_intermediate_size: size.default(768),
    num_experts_per_tok: size.default(8),
    num_experts: depth.default(128),
    norm_topk_prob: z.boolean().default(false),
    mlp_only_layers: z.array(z.number().int().nonnegative()).default([]),
  },
  names: { aliases: { num_local_experts: 'num_experts' }, kept: ['max_window_layers'] },
  parts(config, llama) {
    const { attention_bias: bias, use_sliding_window: windowed, sliding_window } = config;
    const layers = denseLayers(config);
    return {
      ...llama,
      heads: {
        ...llama.heads,
        bias: { qkv: bias, out: bias },
        qkNorm: true,
        window: windowed ? (sliding_window ?? null) : null,
      },
      feedForward: expertsOf(config, {
        count: config.num_experts,
        hidden: config.moe_intermediate_size,
        normalize: config.norm_topk_prob,
        dense: layers.length > 0 ? { layers, hidden: config.intermediate_size } : undefined,
      }),
    };
  },
  keys: ({ num_experts: each }) => expertKeys('mlp', each, ['gate_proj', 'up_proj', 'down_proj']),
  check: (config, name) => checkExperts(name, config, 'num_experts', config.num_experts),
});
