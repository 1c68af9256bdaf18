import type { GPT2Config } from '../families/gpt2.js';
import type { GgufArchitecture } from './architecture.js';
import { refuseOthers } from './refuse.js';

/** GPT-2 in llama.cpp. */
export function gpt2Architecture(config: GPT2Config): GgufArchitecture {
  refuseOthers(config, {
    activation_function: ['gelu_new', 'gelu_pytorch_tanh', 'gelu_fast'],
    scale_attn_weights: [true],
  });
  const { n_embd: dim, n_head: heads } = config;
  return {
    name: 'gpt2',
    settings: {
      block_count: ['u32', config.n_layer],
      context_length: ['u32', config.n_positions],
      embedding_length: ['u32', dim],
      feed_forward_length: ['u32', config.n_inner ?? 4 * dim],
      'attention.head_count': ['u32', heads],
      'attention.layer_norm_epsilon': ['f32', config.layer_norm_epsilon],
    },
    names: [
      ['tokens', 'token_embd'],
      ['positions', 'position_embd'],
      ['blocks.#.norm1', 'blk.#.attn_norm'],
      ['blocks.#.attn.qkv', 'blk.#.attn_qkv', 'turned'],
      ['blocks.#.attn.outProj', 'blk.#.attn_output', 'turned'],
      ['blocks.#.norm2', 'blk.#.ffn_norm'],
      ['blocks.#.mlp.up', 'blk.#.ffn_up', 'turned'],
      ['blocks.#.mlp.down', 'blk.#.ffn_down', 'turned'],
      ['norm', 'output_norm'],
      ['head', 'output'],
    ],
  };
}
