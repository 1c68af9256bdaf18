import { z } from 'zod';
import type { ModelFamily } from '../family.js';
import { size } from '../fields.js';
import { type DecoderConfig, decoderFamily, without } from './shared/decoder-family.js';
import { partialRopeShape } from './shared/rope.js';

/** Hugging Face's `StableLmConfig`; other keys are kept as they are. */
export interface StableLmConfig extends DecoderConfig {
  model_type: 'stablelm';
  layer_norm_eps: number;
  /** Biases of queries, keys and values. */
  use_qkv_bias: boolean;
  /** Whether both parts of a block read the output of its one norm. */
  use_parallel_residual: boolean;
}

/**
 * StableLM and StableLM 2: LLaMA with layer norms and rotary positions of a quarter of each head.
 *
 * @see Bellagente et al. 2024, https://arxiv.org/abs/2402.17834
 */
export const stableLM: ModelFamily<StableLmConfig> = decoderFamily<StableLmConfig>({
  modelType: 'stablelm',
  className: 'StableLm',
  shape: {
    vocab_size: size.default(50304),
    hidden_size: size.default(2560),
    intermediate_size: size.default(6912),
    num_key_value_heads: size.nullable().default(32),
    head_dim: undefined,
    max_position_embeddings: size.default(4096),
    rms_norm_eps: undefined,
    layer_norm_eps: z.number().positive().default(1e-5),
    use_qkv_bias: z.boolean().default(false),
    use_parallel_residual: z.boolean().default(false),
    // Norms whose weights differ from head to head, as in StableLM 2 12B.
    qk_layernorm: without,
    // Of the feed-forward layer's output alone.
    hidden_dropout: z.literal(0).default(0),
    ...partialRopeShape,
    partial_rotary_factor: z.number().positive().max(1).default(0.25),
  },
  parts: (config, llama) => ({
    ...llama,
    heads: { ...llama.heads, bias: { qkv: config.use_qkv_bias, out: false } },
    norm: { kind: 'layer', epsilon: config.layer_norm_eps },
    block: config.use_parallel_residual ? 'parallel' : 'pre-norm',
  }),
});
