import type { RowOrder } from '../checkpoint/row-order.js';
import { type LlamaConfig, llama } from '../families/llama.js';
import { readRope } from '../families/shared/rope.js';
import type { GgufArchitecture } from './architecture.js';
import { refuseOthers } from './refuse.js';
import { ropeSettings } from './rope.js';

/**
 * LLaMA, Mistral and Qwen2 in llama.cpp.
 *
 * It lets every query see all tokens, so the longest sequence is a window where there is one: within it, both compute the same.
 */
export function llamaArchitecture(config: LlamaConfig): GgufArchitecture {
  refuseOthers(config, { hidden_act: ['silu'] });
  const { model_type: type, num_attention_heads: heads, hidden_size: dim } = config;
  const kvHeads = config.num_key_value_heads ?? heads;
  const headDim = config.head_dim ?? dim / heads;
  const rope = readRope(config, config.max_position_embeddings, 'config.json');
  const scaled = ropeSettings(rope, headDim);
  const isLlama = type !== 'qwen2';
  const order = (count: number) => (isLlama ? () => interleaved(count, headDim) : undefined);
  return {
    name: isLlama ? 'llama' : 'qwen2',
    settings: {
      block_count: ['u32', config.num_hidden_layers],
      context_length: ['u32', Math.min(rope.maxLength, windowOf(config))],
      embedding_length: ['u32', dim],
      feed_forward_length: ['u32', config.intermediate_size],
      'attention.head_count': ['u32', heads],
      'attention.head_count_kv': ['u32', kvHeads],
      'attention.layer_norm_rms_epsilon': ['f32', config.rms_norm_eps],
      ...scaled.settings,
      'attention.key_length': ['u32', headDim],
      'attention.value_length': ['u32', headDim],
      ...(isLlama
        ? {
            vocab_size: ['u32', config.vocab_size] as const,
            'rope.dimension_count': ['u32', headDim] as const,
          }
        : {}),
    },
    names: [
      ['tokens', 'token_embd'],
      ['blocks.#.norm1', 'blk.#.attn_norm'],
      ...row('blocks.#.attn.qProj', 'blk.#.attn_q', order(heads)),
      ...row('blocks.#.attn.kProj', 'blk.#.attn_k', order(kvHeads)),
      ['blocks.#.attn.vProj', 'blk.#.attn_v'],
      ['blocks.#.attn.outProj', 'blk.#.attn_output'],
      ['blocks.#.norm2', 'blk.#.ffn_norm'],
      ['blocks.#.mlp.gate', 'blk.#.ffn_gate'],
      ['blocks.#.mlp.up', 'blk.#.ffn_up'],
      ['blocks.#.mlp.down', 'blk.#.ffn_down'],
      ['norm', 'output_norm'],
      ['head', 'output'],
    ],
    buffers: scaled.buffers,
  };
}

const row = (
  ours: string,
  theirs: string,
  order: (() => RowOrder) | undefined,
): GgufArchitecture['names'] => [order ? [ours, theirs, order] : [ours, theirs]];

/** The tokens that the narrowest layer sees. */
function windowOf(config: LlamaConfig): number {
  const { window } = llama.preset({ ...config }).heads;
  const windows = [window ?? null].flat().filter((tokens) => typeof tokens === 'number');
  return Math.min(Number.POSITIVE_INFINITY, ...windows);
}

/**
 * The order of rows in which the two channels that are rotated together are neighbours; here they are half a head apart.
 *
 * @param heads of the projection @param headDim `Dh`
 * @returns `heads Dh` rows
 */
function interleaved(heads: number, headDim: number): RowOrder {
  const half = headDim / 2;
  return Array.from({ length: heads * headDim }, (_, i) => {
    const within = i % headDim;
    const [part, pair] = [Math.floor(within / half), within % half];
    return i - within + 2 * pair + part;
  });
}
