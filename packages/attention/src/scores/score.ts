import type { ParamStore } from '@headwise/core';
import type { RowTerm } from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';
import type { HeadSizes } from '../heads.js';

/** An attention score function: compares queries with keys, before score mods, mask and softmax. */
export interface Score {
  /** Names it in errors. */
  readonly name: string;
  /** What products of queries and keys are multiplied by; undefined: the score is not a product. */
  readonly scale: number | undefined;
  /** Changes queries before they get positions, `[B, H, Tq, Dh]`. */
  queries?(q: tf.Tensor): tf.Tensor;
  /** Takes the place of products. */
  readonly term?: RowTerm | undefined;
}

/** Constructs a score function for an attention layer, with its parameters below `score`. */
export type ScoreKind = (params: ParamStore, sizes: HeadSizes) => Score;
