import type * as tf from '@tensorflow/tfjs';

/** The tokens that every layer has seen before a forward pass; `KeyValueCache` of `@headwise/decoding` holds their keys and values. */
export interface TokenCache {
  /** The number of tokens that every layer has seen, of the longest sequence: the position of its next one. */
  readonly length: number;
  /** The number of tokens of each sequence that every layer has seen; empty before the first. */
  readonly starts: readonly number[];
  /** The number of tokens that one layer has seen, of the longest sequence. */
  lengthOf(path: string): number;
}

/** Hidden states of earlier segments by layer; `SegmentMemory` of `@headwise/decoding` holds them. */
export interface RecurrentMemory {
  /** `[B, ≤ M, D]`, the states of a layer; undefined in the first segment. */
  read(path: string): tf.Tensor | undefined;
  /** @param hidden `[B, T, D]`, the layer's states of the segment that was read last */
  write(path: string, hidden: tf.Tensor): void;
}
