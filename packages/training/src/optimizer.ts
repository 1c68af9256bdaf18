import type * as tf from '@tensorflow/tfjs';

/** An optimizer over the parameters that it was made for. */
export interface Optimizer {
  /** Names its state in a saved training run, such as `adamw`. */
  readonly name: string;
  /** The number of updates made so far. */
  readonly steps: number;
  /** The tensors to save, by the name `<slot>.<path>`, such as `m.<path>`. */
  readonly state: Readonly<Record<string, StateTensor>>;
  /**
   * Makes one update.
   *
   * @param gradients by path; every parameter must have one
   * @param scale multiplies every gradient, a scalar: a clipping factor needs no read-back
   * @throws InputError where a parameter has no gradient of its shape, or the learning rate is negative or not finite;
   * nothing is changed then
   */
  update(
    gradients: Readonly<Record<string, tf.Tensor>>,
    learningRate: number,
    scale?: tf.Tensor,
  ): void;
  /**
   * Goes on from a saved state, whose tensors are copied.
   *
   * @throws InputError where it lacks a tensor; nothing is changed then
   */
  restore(saved: SavedOptimizer): void;
  /** Frees its tensors, not the parameters. */
  dispose(): void;
}

/** A tensor of an optimizer's state. */
export interface StateTensor {
  readonly shape: number[];
  /** The values now; the caller disposes the tensor. */
  copy(): tf.Tensor;
}

/** What an optimizer goes on from. */
export interface SavedOptimizer {
  /** Updates made. */
  steps: number;
  /** By the names of `Optimizer.state`. */
  tensors: Readonly<Record<string, tf.Tensor>>;
}

/** A choice for each parameter. */
export type ByPath<T> = (path: string, variable: tf.Variable) => T;

/** What every optimizer lets one choose by path. */
export interface ByPathOptions {
  /** The decay of each parameter; a number is that of matrices, and biases and norms do not decay. */
  weightDecay?: number | ByPath<number> | undefined;
  /** Multiplies the learning rate of each parameter; default 1. */
  rates?: ByPath<number> | undefined;
}
