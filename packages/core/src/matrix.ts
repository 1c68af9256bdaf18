import type * as tf from '@tensorflow/tfjs';

/** The values of a parameter in fewer bits than float32 takes. */
export interface PackedParam {
  readonly shape: readonly number[];
  /** All that it takes on the backend. */
  readonly bytes: number;
  dispose(): void;
}

/** How a weight lies in memory: `[in, out]` (GPT-2's Conv1D) or `[out, in]` (PyTorch's Linear). */
export type MatrixLayout = 'in-out' | 'out-in';

/** The weight of a linear map: a trainable variable, or packed. */
export interface Matrix {
  readonly layout: MatrixLayout;
  /** Trainable; absent while the matrix is packed. */
  readonly variable?: tf.Variable<tf.Rank.R2>;
  readonly packed?: PackedParam;
}

/** Packs a matrix as it is made or loaded; undefined for one that stays a variable. */
export type Packing = (
  path: string,
  values: Float32Array,
  shape: readonly [number, number],
  layout: MatrixLayout,
) => PackedParam | undefined;
