import { z } from 'zod';
import type { ModelFamily } from '../family.js';
import { type DecoderConfig, decoderFamily, withScores } from './shared/decoder-family.js';

/** Hugging Face's `GraniteConfig`; other keys are kept as they are. */
export interface GraniteConfig extends DecoderConfig {
  model_type: 'granite';
  /** Of all four projections of attention. */
  attention_bias: boolean;
  /** Of the feed-forward layer. */
  mlp_bias: boolean;
  /** What embeddings are multiplied by. */
  embedding_multiplier: number;
  /** What products of queries and keys are multiplied by. */
  attention_multiplier: number;
  /** What is added to the residual stream is multiplied by it. */
  residual_multiplier: number;
  /** What scores of tokens are divided by. */
  logits_scaling: number;
}

const multiplier = z.number().positive().default(1);

/**
 * Granite 3: LLaMA with four multipliers.
 *
 * @see IBM Research 2024, Granite 3.0 Language Models; Yang et al. 2022, https://arxiv.org/abs/2203.03466
 */
export const granite: ModelFamily<GraniteConfig> = decoderFamily<GraniteConfig>({
  modelType: 'granite',
  className: 'Granite',
  shape: {
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    embedding_multiplier: multiplier,
    attention_multiplier: multiplier,
    residual_multiplier: multiplier,
    logits_scaling: multiplier,
  },
  parts: (config, llama) => ({
    ...llama,
    embedding: { ...llama.embedding, scale: config.embedding_multiplier },
    heads: {
      ...llama.heads,
      bias: { qkv: config.attention_bias, out: config.attention_bias },
    },
    score: { kind: 'scaled-dot-product', scale: config.attention_multiplier },
    feedForward: { ...llama.feedForward, bias: config.mlp_bias },
    residualScale: config.residual_multiplier,
    head: withScores(llama.head, { scale: 1 / config.logits_scaling }),
  }),
});
