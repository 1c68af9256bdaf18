import type * as tf from '@tensorflow/tfjs';
import type { ScoreMod } from '../attention/mods.js';

/** Some neighbouring queries, and where they stand. */
export interface Rows {
  /** `[B, H, C, Dk]` */
  readonly q: tf.Tensor;
  /** `[B, Hkv, Tk, Dk]`, all keys; over a cache they are copied when they are first read, so read `keys` for their number. */
  readonly k: tf.Tensor;
  /** `Tk`; over a window of a cache, all tokens of the sequence. */
  readonly keys: number;
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
  readonly replaces?: boolean | undefined;
  /** Applied to the scaled products before all other mods; tables of theirs that have an axis of queries are read at `row`. */
  mods?(rows: Rows, inputs: readonly tf.Tensor[]): readonly ScoreMod[];
  /**
   * Added to the output. It is given the weights, so that attention runs in plain operations.
   *
   * @param pattern `[B, H, C, Tk]`
   * @returns `[B, H, C, Dv]`
   */
  values?(pattern: tf.Tensor, rows: Rows, inputs: readonly tf.Tensor[]): tf.Tensor;
}

/** The mods of a term, if there is one that has some. */
export const modsOf = (term: RowTerm | undefined, rows: Rows): readonly ScoreMod[] =>
  term?.mods?.(rows, term.inputs) ?? [];
