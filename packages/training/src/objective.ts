import type { ForwardContext } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';

/** What every batch says about itself. */
export interface ExampleBatch {
  /** How many rows there are, and the sizes of each. */
  readonly shape: readonly [rows: number, ...sizes: number[]];
  /** The number of each row's example in the data; errors name them. */
  readonly examples?: readonly number[] | undefined;
  /** Numbers that `train` reports beside the loss, such as the mean reward of completions. */
  readonly measures?: Readonly<Record<string, number>> | undefined;
}

/** What a model is trained to do: a loss over batches of one form. */
export interface Objective<B extends ExampleBatch> {
  /** In messages, such as `causal language modeling`. */
  readonly name: string;
  /** What a batch is averaged over: tokens, sequences or pairs; 0 where it has nothing to predict. */
  predicted(batch: B): number;
  /**
   * The mean loss over what is predicted, of which `train` takes the gradients.
   *
   * @returns a scalar
   * @throws InputError naming the first id or label outside its range and its position, before anything is computed
   */
  loss(batch: B, ctx?: ForwardContext): tf.Scalar;
  /** How many predictions are right: the likeliest is the target. A scalar; absent where nothing is right or wrong. */
  correct?(batch: B): tf.Scalar;
}
