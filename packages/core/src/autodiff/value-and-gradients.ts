import * as tf from '@tensorflow/tfjs';
import { backward } from './backward.js';
import { taped } from './tape.js';

/**
 * The value of a function, and its gradient with respect to each variable, with the least memory for what is computed.
 *
 * @param f a scalar of the variables
 * @returns both for the caller to dispose; undefined in the place of a variable that the value does not depend on
 */
export function valueAndGradients(
  f: () => tf.Scalar,
  variables: readonly tf.Variable[],
): { value: tf.Scalar; gradients: (tf.Tensor | undefined)[] } {
  return tf.tidy(() => {
    const ids = variables.map(({ id }) => id);
    const { result: value, tape } = taped(f, ids);
    const dys = new Map([[value.id, tf.ones(value.shape) as tf.Tensor]]);
    const made = backward(tape, dys, ids);
    const gradients = variables.map(({ id }) => made.get(id));
    return { value, gradients: gradients as tf.Tensor[] };
  });
}
