import { InputError, ShapeError } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';

/** Throws unless every operand has elements, and they are of type float32. */
export function checkOperands(op: string, operands: Record<string, tf.Tensor | undefined>): void {
  for (const [name, tensor] of Object.entries(operands)) {
    if (!tensor) continue;
    if (tensor.dtype !== 'float32') {
      throw new InputError(`${op}: ${name} has type ${tensor.dtype}; expected float32`);
    }
    if (tensor.size === 0) {
      throw new ShapeError(
        `${op}: ${name} has shape [${tensor.shape.join(', ')}]; expected no size of 0`,
      );
    }
  }
}
