import { InputError, ShapeError } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';

/** Throws unless a tensor holds values of this type. */
export function checkType(what: string, { dtype }: tf.TensorInfo, expected: tf.DataType): void {
  if (dtype !== expected) throw new InputError(`${what} has type ${dtype}; expected ${expected}`);
}

/** Throws where a dimension is 0: there is nothing to compute, and a kernel cannot bind it. */
export function checkNotEmpty(what: string, { shape }: tf.TensorInfo): void {
  if (shape.includes(0)) {
    throw new ShapeError(`${what} has shape [${shape.join(', ')}]; expected sizes of at least 1`);
  }
}

/** Throws unless every operand that is given has elements, of type float32. */
export function checkOperands(op: string, operands: Record<string, tf.Tensor | undefined>): void {
  for (const [name, tensor] of Object.entries(operands)) {
    if (!tensor) continue;
    checkType(`${op}: ${name}`, tensor, 'float32');
    checkNotEmpty(`${op}: ${name}`, tensor);
  }
}
