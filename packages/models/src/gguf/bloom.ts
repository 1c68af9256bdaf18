import type { BloomConfig } from '../families/bloom.js';
import type { GgufArchitecture } from './architecture.js';
import { refuseOthers } from './refuse.js';

/** BLOOM in llama.cpp, which has queries, keys and values one after the other, as we have. */
export function bloomArchitecture(config: BloomConfig): GgufArchitecture {
  refuseOthers(config, { apply_residual_connection_post_layernorm: [false] });
  const { hidden_size: dim, n_head: heads } = config;
  return {
    name: 'bloom',
    settings: {
      context_length: ['u32', config.seq_length],
      embedding_length: ['u32', dim],
      feed_forward_length: ['u32', 4 * dim],
      block_count: ['u32', config.n_layer],
      'attention.head_count': ['u32', heads],
      'attention.head_count_kv': ['u32', heads],
      'attention.layer_norm_epsilon': ['f32', config.layer_norm_epsilon],
    },
    names: [
      ['tokens', 'token_embd'],
      ['embeddingNorm', 'token_embd_norm'],
      ['blocks.#.norm1', 'blk.#.attn_norm'],
      ['blocks.#.attn.qkv', 'blk.#.attn_qkv'],
      ['blocks.#.attn.outProj', 'blk.#.attn_output'],
      ['blocks.#.norm2', 'blk.#.ffn_norm'],
      ['blocks.#.mlp.up', 'blk.#.ffn_up'],
      ['blocks.#.mlp.down', 'blk.#.ffn_down'],
      ['norm', 'output_norm'],
      ['head', 'output'],
    ],
  };
}
