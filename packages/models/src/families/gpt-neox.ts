import { z } from 'zod';
import { groupedHeads } from '../checkpoint/row-order.js';
import type { ModelFamily } from '../family.js';
import { depth, rate, size } from '../fields.js';
import { activation, activationOf } from './shared/activations.js';
import { type DecoderConfig, decoderFamily } from './shared/decoder-family.js';
import { partialRopeShape, readRope } from './shared/rope.js';

/** Hugging Face's `GPTNeoXConfig`; other keys are kept as they are. */
export interface GPTNeoXConfig extends DecoderConfig {
  model_type: 'gpt_neox';
  /** Of what is added to the residual stream, and of the embeddings. */
  hidden_dropout: number;
  layer_norm_eps: number;
  /** Whether both parts of a block read the stream as it comes in. */
  use_parallel_residual: boolean;
  /** Of the projections of attention. */
  attention_bias: boolean;
  /** The part of a head's channels that turn, where the rotary rule has none. */
  rotary_pct: number;
  /** The rotary base, where the rule has none. */
  rotary_emb_base: number;
}

const otherHead: Record<string, string> = { 'lm_head.': 'embed_out.', 'embed_out.': 'lm_head.' };

const elsewhere = (name: string) =>
  z.never({ error: `transformers does not read it; expected '${name}'` }).optional();

/**
 * GPT-NeoX and Pythia: parallel blocks with two norms, one QKV matrix, and rotary positions of a quarter of each head.
 *
 * Its checkpoints hold queries, keys and values head by head.
 *
 * @see Black et al. 2022, https://arxiv.org/abs/2204.06745; Biderman et al. 2023, https://arxiv.org/abs/2304.01373
 */
export const gptNeoX: ModelFamily<GPTNeoXConfig> = {
  ...decoderFamily<GPTNeoXConfig>({
    modelType: 'gpt_neox',
    className: 'GPTNeoX',
    shape: {
      vocab_size: size.default(50432),
      hidden_size: size.default(6144),
      num_hidden_layers: depth.default(44),
      num_attention_heads: size.default(64),
      num_key_value_heads: undefined,
      head_dim: undefined,
      pad_token_id: undefined,
      intermediate_size: size.default(24576),
      hidden_act: activation('gelu'),
      hidden_dropout: rate.default(0),
      rms_norm_eps: undefined,
      layer_norm_eps: z.number().positive().default(1e-5),
      use_parallel_residual: z.boolean().default(true),
      attention_bias: z.boolean().default(true),
      ...partialRopeShape,
      rope_theta: elsewhere('rotary_emb_base'),
      partial_rotary_factor: elsewhere('rotary_pct'),
      rotary_pct: z.number().positive().max(1).default(0.25),
      rotary_emb_base: z.number().positive().default(10000),
    },
    names: { kept: ['classifier_dropout', 'is_decoder', 'pad_token_id'] },
    rope({ rotary_pct, rotary_emb_base, ...config }, name) {
      const settings = {
        ...config,
        rope_theta: rotary_emb_base,
        partial_rotary_factor: rotary_pct,
      };
      return readRope(settings, config.max_position_embeddings, name);
    },
    parts: (config, llama) => ({
      ...llama,
      embedding: { dropout: config.hidden_dropout },
      heads: {
        ...llama.heads,
        projection: 'fused',
        bias: { qkv: config.attention_bias, out: config.attention_bias },
      },
      norm: { kind: 'layer', epsilon: config.layer_norm_eps },
      feedForward: {
        kind: 'plain',
        hidden: config.intermediate_size,
        activation: activationOf(config.hidden_act),
        bias: true,
      },
      block: config.use_parallel_residual ? 'parallel-two-norms' : 'pre-norm',
      dropout: config.hidden_dropout,
    }),
    keys({ num_attention_heads: heads, hidden_size: dim }) {
      return [
        ['tokens', 'gpt_neox.embed_in'],
        ['blocks.#.norm1', 'gpt_neox.layers.#.input_layernorm'],
        [
          'blocks.#.attn.qkv',
          'gpt_neox.layers.#.attention.query_key_value',
          () => groupedHeads(heads, heads, dim / heads),
        ],
        ['blocks.#.attn.outProj', 'gpt_neox.layers.#.attention.dense'],
        ['blocks.#.norm2', 'gpt_neox.layers.#.post_attention_layernorm'],
        ['blocks.#.mlp.up', 'gpt_neox.layers.#.mlp.dense_h_to_4h'],
        ['blocks.#.mlp.down', 'gpt_neox.layers.#.mlp.dense_4h_to_h'],
        ['norm', 'gpt_neox.final_layer_norm'],
        ['head', 'embed_out'],
      ];
    },
    keyPrefix: 'gpt_neox.',
    table: 'gpt_neox.embed_in.weight',
  }),
  // transformers 5 calls the head otherwise in memory than in files.
  oldKey: (key) => key.replace(/^(lm_head|embed_out)\./, (name) => otherHead[name]!),
};
