import type * as tf from '@tensorflow/tfjs';

/** Called with each named activation of a forward pass; may return a replacement. */
export interface Tap {
  /**
   * Called with every named activation that it wants, `path.name`; may return a replacement. `source` is the block that
   * shows it, where it is one: two of the same name cannot be told apart.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a tap that only looks returns nothing
  (name: string, value: tf.Tensor, source?: object): tf.Tensor | void;
  /** Default: all. What no tap wants need not exist, so that fused kernels may leave it out. */
  wants?(name: string): boolean;
}

/** The heads and queries of an attention map to compute; default all. */
export interface MapPart {
  /** In [0, H). */
  heads?: readonly number[] | undefined;
  /** Queries, in [0, Tq). */
  rows?: readonly number[] | undefined;
}

/** Attention weights and scores of a running layer, computed on request; the layer stays on its fused path. */
export interface AttentionProbe {
  /** Of the whole map. */
  readonly shape: readonly [batch: number, heads: number, queries: number, keys: number];
  /** What the softmax is taken of, hidden keys far below all others: `[B, heads, rows, Tk]`. */
  scores(part?: MapPart): tf.Tensor;
  /** The attention weights, `[B, heads, rows, Tk]`. */
  pattern(part?: MapPart): tf.Tensor;
}
