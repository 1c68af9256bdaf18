import type { MatrixLayout } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { geluReference, geluTanhReference } from '../gelu/reference.js';
import type { LinearActivation } from './activation.js';
import { otherActivations } from './other-activations.js';

/** A linear map of rows in plain operations: the specification. */
export function linearReference(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D | undefined,
  layout: MatrixLayout,
  activation: LinearActivation = 'none',
): tf.Tensor {
  const y = tf.matMul(x, weight, false, layout === 'out-in');
  return activationReferences[activation](bias ? tf.add(y, bias) : y);
}

/** The activations in plain operations: the specification. */
export const activationReferences: Readonly<Record<LinearActivation, (z: tf.Tensor) => tf.Tensor>> =
  {
    none: (z) => z,
    relu: (z) => tf.relu(z),
    gelu: geluReference,
    gelu_new: geluTanhReference,
    silu: (z) => tf.mul(z, tf.sigmoid(z)),
    ...otherActivations,
  };
