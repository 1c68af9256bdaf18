import { type ForwardContext, InputError, type LanguageModel } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { BatchArrays, ExampleBatch, TensorLoss } from './objective.js';

/** Losses of this package: the numbers that their JavaScript takes stay as they are. */
const ownLosses = new WeakSet<object>();

/** Own losses whose networks do nothing in a pass but compute. */
const computing = new WeakSet<object>();

/**
 * Says that a loss takes the same numbers from JavaScript in every step.
 *
 * @param network that it is of; one that tells what its parameters hold does nothing in a pass but compute
 */
export function ownLoss<B extends ExampleBatch>(
  loss: TensorLoss<B>,
  network?: Pick<LanguageModel, 'parameterState'>,
): TensorLoss<B> {
  ownLosses.add(loss);
  if (network?.parameterState) computing.add(loss);
  return loss;
}

/** Whether a loss may be run only to compile what it needs. */
export const onlyComputes = (loss: TensorLoss<never> | undefined): boolean =>
  loss !== undefined && computing.has(loss);

/** Whether a loss was given to `ownLoss`. */
export const isOwnLoss = (loss: TensorLoss<never>): boolean => ownLosses.has(loss);

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
