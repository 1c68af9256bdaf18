import { type FalconConfig, falcon } from '../families/falcon.js';
import { readRope } from '../families/shared/rope.js';
import type { GgufArchitecture } from './architecture.js';
import { refuseOthers } from './refuse.js';
import { ropeSettings } from './rope.js';

/**
 * Falcon in llama.cpp: parallel blocks without biases, and rotary positions.
 *
 * Its feed-forward layer has the approximation of GELU by tanh there.
 */
export function falconArchitecture(config: FalconConfig): GgufArchitecture {
  refuseOthers(config, {
    alibi: [false],
    bias: [false],
    parallel_attn: [true],
    activation: ['gelu', 'gelu_new', 'gelu_pytorch_tanh'],
  });
  const { hidden_size: dim, num_attention_heads: heads } = config;
  const { heads: parts, block } = falcon.preset(config);
  const two = block === 'parallel-two-norms';
  const rope = readRope(config, config.max_position_embeddings, 'config.json');
  const scaled = ropeSettings(rope, dim / heads);
  return {
    name: 'falcon',
    settings: {
      context_length: ['u32', config.max_position_embeddings],
      tensor_data_layout: ['string', 'jploski'],
      embedding_length: ['u32', dim],
      feed_forward_length: ['u32', config.ffn_hidden_size ?? 4 * dim],
      block_count: ['u32', config.num_hidden_layers],
      'attention.head_count': ['u32', heads],
      'attention.head_count_kv': ['u32', parts.kv ?? heads],
      'attention.layer_norm_epsilon': ['f32', config.layer_norm_epsilon],
      ...scaled.settings,
    },
    names: [
      ['tokens', 'token_embd'],
      // Of two norms, llama.cpp gives the second to attention.
      ['blocks.#.norm1', two ? 'blk.#.attn_norm_2' : 'blk.#.attn_norm'],
      ['blocks.#.norm2', 'blk.#.attn_norm'],
      ['blocks.#.attn.qkv', 'blk.#.attn_qkv'],
      ['blocks.#.attn.outProj', 'blk.#.attn_output'],
      ['blocks.#.mlp.up', 'blk.#.ffn_up'],
      ['blocks.#.mlp.down', 'blk.#.ffn_down'],
      ['norm', 'output_norm'],
      ['head', 'output'],
    ],
    buffers: scaled.buffers,
  };
}
