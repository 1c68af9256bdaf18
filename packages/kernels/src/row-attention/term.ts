import type * as tf from '@tensorflow/tfjs';
import type { ScoreMod } from '../attention/mods.js';

/** Some neighbouring queries, and where they stand. */
export interface Rows {
  /** `[B, H, C, Dk]` */
  readonly q: tf.Tensor;
  /** `[B, Hkv, Tk, Dk]`, all keys. */
  readonly k: tf.Tensor;
  /** The place of the first of them on the axis of the keys. */
  readonly place: number;
}

/**
 * A part of attention that is not a look-up in a small table: a number for each query and key that is
 * made for a few queries at a time, and made again in the backward.
 */
export interface RowTerm {
  /** What it reads besides queries and keys; gradients flow to each. */
  readonly inputs: readonly tf.Tensor[];
  /** Scores come from its mods alone: products of queries and keys are not computed. */
  readonly replaces?: boolean;
  /** Applied to the scaled products before all other mods. */
  mods?(rows: Rows, inputs: readonly tf.Tensor[]): readonly ScoreMod[];
  /**
   * Added to the output. It is given the weights, so that attention runs in plain operations.
   *
   * @param pattern `[B, H, C, Tk]`
   * @returns `[B, H, C, Dv]`
   */
  values?(pattern: tf.Tensor, rows: Rows, inputs: readonly tf.Tensor[]): tf.Tensor;
}
