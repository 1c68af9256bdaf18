import { type ForwardContext, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { ExampleBatch } from './objective.js';

/** An array of a batch, and the shape of the tensor that it goes to. */
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

/** The tensors of arrays; the caller owns them. */
export function tensorsOf(arrays: BatchArrays): Record<string, tf.Tensor> {
  const made: Record<string, tf.Tensor> = {};
  for (const [name, array] of Object.entries(arrays)) {
    if (!array) continue;
    const dtype = array.values instanceof Int32Array ? 'int32' : 'float32';
    made[name] = tf.tensor(array.values, [...array.shape], dtype);
  }
  return made;
}

/** Names and shapes of arrays: batches that agree in them take the same operations. */
export const formOf = (arrays: BatchArrays): string =>
  Object.entries(arrays)
    .map(([name, array]) => array && `${name} [${array.shape.join(', ')}]`)
    .filter((part) => part !== undefined)
    .join(', ');

/**
 * The loss of batches, from that of their tensors.
 *
 * @returns a function that throws InputError as `arrays` does, and for a batch that is not read through tensors alone
 */
export function batchLoss<B extends ExampleBatch>({
  arrays,
  loss,
}: TensorLoss<B>): (batch: B, ctx?: ForwardContext) => tf.Scalar {
  return (batch, ctx) => {
    const read = arrays(batch);
    if (!read) throw new InputError('batchLoss: the batch is not read through tensors alone');
    return tf.tidy(() => loss(tensorsOf(read), ctx));
  };
}
