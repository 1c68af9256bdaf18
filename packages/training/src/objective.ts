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

/** The terms of a loss that is a sum of means over different things, such as masked tokens and pairs of sentences. */
export interface LossTerms<B extends ExampleBatch> {
  /** How many things each term is the mean of; 0 where a batch has none of them. */
  counts(batch: B): readonly number[];
  /** The terms, each a scalar, in the order of the counts; 0 where the count is 0. */
  means(batch: B, ctx?: ForwardContext): readonly tf.Scalar[];
}

/** An array of a batch, or a number that changes from step to step, and the shape of the tensor that it goes to. */
export interface BatchArray {
  readonly values: Int32Array | Float32Array;
  readonly shape: readonly number[];
}

/** The arrays that a loss reads of a batch, by name; absent ones make no tensor. */
export type BatchArrays = Readonly<Record<string, BatchArray | undefined>>;

/** The tensors of a batch's arrays, int32 or float32 as these are. */
export type BatchTensors = Readonly<Record<string, tf.Tensor>>;

/**
 * A loss that reads a batch through tensors alone. Batches whose arrays have the same shapes take the same operations, so
 * that `train` can record them once and replay them with other values.
 *
 * A replay does not run `loss`: a number that changes from step to step, such as a temperature or the weight of a term, is one of the
 * arrays, of shape `[]`.
 */
export interface TensorLoss<B extends ExampleBatch> {
  /**
   * What the loss reads; undefined for a batch that is not read through tensors alone.
   *
   * @throws InputError naming the first id or label outside its range and its position, ShapeError for an array of another size
   */
  arrays(batch: B): BatchArrays | undefined;
  /** The mean loss over what is predicted, a scalar; decides nothing by the values of the tensors. */
  loss(tensors: BatchTensors, ctx?: ForwardContext): tf.Scalar;
}

/** What a model is trained to do: a loss over batches of one form. */
export interface Objective<B extends ExampleBatch> {
  /** In messages, such as `causal language modeling`. */
  readonly name: string;
  /** What a batch is averaged over: tokens, sequences or pairs; of several terms that of the first. 0 where there is nothing to predict. */
  predicted(batch: B): number;
  /**
   * The mean loss over what is predicted, of which `train` takes the gradients.
   *
   * @returns a scalar
   * @throws InputError naming the first id or label outside its range and its position, before anything is computed
   */
  loss(batch: B, ctx?: ForwardContext): tf.Scalar;
  /**
   * The terms whose sum the loss is. Several batches are averaged as one term by term, each by its own counts; default the
   * loss as one term over what is predicted.
   */
  readonly terms?: LossTerms<B> | undefined;
  /**
   * The same loss, of a batch's tensors, where it has one term and reads nothing else: `train` records it. `batchLoss` makes
   * `loss` of it.
   */
  readonly tensorLoss?: TensorLoss<B> | undefined;
  /** How many predictions are right: the likeliest is the target. A scalar; absent where nothing is right or wrong. */
  correct?(batch: B): tf.Scalar;
}
