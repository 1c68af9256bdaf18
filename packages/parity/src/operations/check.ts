import { readTensor } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { type Check, checkOf } from '../receipt.js';
import { type Operation, operations } from './operations.js';

/** The largest part of their own size by which outputs and gradients of one operation may be off. */
const bound = 1e-5;

/** Compares our operations on the backend in use, and all their gradients, with float64. */
export async function* checkOperations(): AsyncGenerator<Check> {
  for (const operation of operations()) yield* checkOperation(operation);
}

async function* checkOperation(operation: Operation): AsyncGenerator<Check> {
  const { name, inputs, run, cotangent, output, gradients } = operation;
  const names = Object.keys(inputs);
  const tensors = names.map((key) =>
    tf.tensor(Float32Array.from(inputs[key]!.values), inputs[key]!.shape),
  );
  const byName = (xs: tf.Tensor[]) => Object.fromEntries(xs.map((x, i) => [names[i]!, x]));
  const f = (...xs: tf.Tensor[]) => run(byName(xs));
  const [y, ...grads] = tf.tidy(() => {
    const y = f(...tensors);
    const dy = tf.tensor(Float32Array.from(cotangent), y.shape);
    return [y, ...tf.grads(f)(tensors, dy)];
  });
  try {
    yield checkOf(name, 'output', await readTensor(y!), output, bound);
    for (const [i, key] of names.entries()) {
      const part = `gradient.${key}`;
      yield checkOf(name, part, await readTensor(grads[i]!), gradients[key]!, bound);
    }
  } finally {
    tf.dispose([...tensors, y!, ...grads]);
  }
}
