import type { ParamStore } from '@headwise/core';
import type { RowTerm } from '@headwise/kernels';
import type * as tf from '@tensorflow/tfjs';
import type { HeadSizes } from '../heads.js';

/** How much a query asks for a key, before mods, mask and softmax. */
export interface Score {
  /** Names it in errors. */
  readonly name: string;
  /** What products of queries and keys are multiplied by; undefined: the score is not a product. */
  readonly scale: number | undefined;
  /** Changes queries before they get positions, `[B, H, Tq, Dh]`. */
  queries?(q: tf.Tensor): tf.Tensor;
  /** Takes the place of products. */
  readonly term?: RowTerm;
}

/** Makes the score of an attention layer, which gives it a place for its parameters, `score`. */
export type ScoreKind = (params: ParamStore, sizes: HeadSizes) => Score;
