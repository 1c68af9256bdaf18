import type { MatrixLayout } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { LinearActivation } from '../linear/activation.js';
import { linearReference } from '../linear/reference.js';
import type { Projection } from './index.js';

/** A gated linear map of rows in plain operations: the specification. */
export function gatedLinearReference(
  x: tf.Tensor2D,
  gate: Projection,
  up: Projection,
  layout: MatrixLayout,
  activation: LinearActivation,
): tf.Tensor {
  return linearReference(x, gate.weight, gate.bias, layout, activation).mul(
    linearReference(x, up.weight, up.bias, layout),
  );
}
