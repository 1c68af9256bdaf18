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

/** The weight of a linear map or the table of an embedding: a trainable variable, or packed. */
export interface Matrix {
  readonly layout: MatrixLayout;
  /** Whether its rows are looked up by number: `[count, dim]`, in the layout `out-in`. */
  readonly table: boolean;
  /** The outputs of each map, where several lie side by side in it; absent where it is one. */
  readonly parts?: readonly number[] | undefined;
  /** Whether a row of an input meets one of the parts alone, as the expert that it is routed to; default all of them. */
  readonly routed?: boolean | undefined;
  /** Trainable; absent while the matrix is packed. */
  readonly variable?: tf.Variable<tf.Rank.R2> | undefined;
  readonly packed?: PackedParam | undefined;
}

/** Packs one matrix, whose values come piece by piece, row by row. */
export interface Packer {
  /** The values that `add` takes: a multiple of this number, or all that are left. */
  readonly step: number;
  add(values: Float32Array): void;
  /** Takes all values at once, where they lie on the device; the tensor stays the caller's. Absent where it cannot. */
  addTensor?(values: tf.Tensor): void;
  /** The packed matrix, once all values are there. */
  finish(): PackedParam;
}

/** Chooses how a matrix is packed as it is made or loaded; undefined for one that stays a variable. */
export type Packing = (
  path: string,
  shape: readonly [number, number],
  layout: MatrixLayout,
) => Packer | undefined;
