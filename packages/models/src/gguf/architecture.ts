import type { GgufMetadata } from '@headwise/gguf';
import type { KeyTable } from '../family.js';

/** A model in the terms of llama.cpp. */
export interface GgufArchitecture {
  /** `general.architecture`. */
  readonly name: string;
  /** Its settings, without the architecture's name before their keys. */
  readonly settings: GgufMetadata;
  /**
   * Where parameters lie in the file: our paths, llama.cpp's names, and the order of rows there where it is another, or `turned`
   * where its matrices are the transposes of ours.
   */
  readonly names: KeyTable;
  /** Tensors beside parameters, of one axis. */
  readonly buffers?: Readonly<Record<string, Float32Array>> | undefined;
  /** Tensors that hold a parameter plus 1: norms by `1 + w`. */
  readonly plusOne?: RegExp | undefined;
}

/** Where the parameters of most decoders lie. */
export const decoderNames: KeyTable = [
  ['tokens', 'token_embd'],
  ['blocks.#.norm1', 'blk.#.attn_norm'],
  ['blocks.#.attn.qkv', 'blk.#.attn_qkv'],
  ['blocks.#.attn.qProj', 'blk.#.attn_q'],
  ['blocks.#.attn.kProj', 'blk.#.attn_k'],
  ['blocks.#.attn.vProj', 'blk.#.attn_v'],
  ['blocks.#.attn.outProj', 'blk.#.attn_output'],
  ['blocks.#.attn.qNorm', 'blk.#.attn_q_norm'],
  ['blocks.#.attn.kNorm', 'blk.#.attn_k_norm'],
  ['blocks.#.mixNorm', 'blk.#.post_attention_norm'],
  ['blocks.#.norm2', 'blk.#.ffn_norm'],
  ['blocks.#.mlp.gate', 'blk.#.ffn_gate'],
  ['blocks.#.mlp.up', 'blk.#.ffn_up'],
  ['blocks.#.mlp.down', 'blk.#.ffn_down'],
  ['blocks.#.mlpNorm', 'blk.#.post_ffw_norm'],
  ['norm', 'output_norm'],
  ['head', 'output'],
];
