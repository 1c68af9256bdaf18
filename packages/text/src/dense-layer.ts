import * as tf from '@tensorflow/tfjs';

/** `Dense` of sentence-transformers: `f(x Wᵀ + b)`. */
export interface DenseLayer {
  /** Outputs and inputs. */
  readonly shape: readonly [number, number];
  /** By rows of outputs. */
  readonly weight: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly activation: keyof typeof denseActivations;
}

/** Activations by their names in PyTorch. */
export const denseActivations = {
  Identity: (x: tf.Tensor): tf.Tensor => x,
  Tanh: (x: tf.Tensor): tf.Tensor => x.tanh(),
  ReLU: (x: tf.Tensor): tf.Tensor => x.relu(),
  Sigmoid: (x: tf.Tensor): tf.Tensor => x.sigmoid(),
};

/** @param x `[B, D]` @returns `[B, D′]` */
export function denseForward(
  x: tf.Tensor,
  { shape, weight, bias, activation }: DenseLayer,
): tf.Tensor {
  const [outputs, inputs] = shape;
  const product = tf.matMul(x, tf.tensor2d(weight, [outputs, inputs]), false, true);
  return denseActivations[activation](bias ? product.add(tf.tensor1d(bias)) : product);
}
