import * as tf from '@tensorflow/tfjs';
import type { Affine } from './variables.js';

/** Rows of a table, `[N, D]`; on wasm a product with one-hot rows, as that backend lacks a gradient of gather. */
export function lookUp(table: tf.Variable, ids: tf.Tensor): tf.Tensor2D {
  const flat = ids.flatten() as tf.Tensor1D;
  if (tf.getBackend() !== 'wasm') return tf.gather(table as tf.Tensor2D, flat);
  return tf.matMul(tf.oneHot(flat, table.shape[0]!).toFloat(), table as tf.Tensor2D);
}

export function affine(x: tf.Tensor2D, [weight, bias]: Affine): tf.Tensor2D {
  return tf.add(product(x, weight), bias);
}

export function product(x: tf.Tensor2D, weight: tf.Variable, transposed = false): tf.Tensor2D {
  return tf.matMul(x, weight as tf.Tensor2D, false, transposed);
}

export function layerNorm(x: tf.Tensor2D, [weight, bias]: Affine, epsilon: number): tf.Tensor2D {
  const { mean, variance } = tf.moments(x, 1, true);
  return x.sub(mean).div(variance.add(epsilon).sqrt()).mul(weight).add(bias);
}

export function rmsNorm(x: tf.Tensor2D, weight: tf.Variable, epsilon: number): tf.Tensor2D {
  return x.mul(tf.rsqrt(x.square().mean(1, true).add(epsilon))).mul(weight);
}

/** GELU by the hyperbolic tangent. */
export function tanhGelu(x: tf.Tensor2D): tf.Tensor2D {
  const inner = x.add(x.pow(3).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(inner.tanh().add(1));
}

/** GELU by the error function. */
export function gelu(x: tf.Tensor2D): tf.Tensor2D {
  return x.mul(0.5).mul(tf.erf(x.div(Math.SQRT2)).add(1));
}

/**
 * `softmax(q kᵀ scale + bias) v` over heads.
 *
 * @param q `[B · Tq, H · Dh]`, `k` and `v` `[B · Tk, H · Dh]`
 * @param bias broadcast to `[B, H, Tq, Tk]`
 * @returns `[B · Tq, H · Dh]`
 */
export function attention(
  [q, k, v]: readonly [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D],
  { batch, heads, scale, bias }: { batch: number; heads: number; scale: number; bias?: tf.Tensor },
): tf.Tensor2D {
  const [rows, width] = q.shape;
  const split = (x: tf.Tensor2D) =>
    x.reshape([batch, x.shape[0] / batch, heads, width / heads]).transpose([0, 2, 1, 3]);
  const scores = tf.matMul(split(q), split(k), false, true).mul(scale);
  const weights = tf.softmax(bias ? scores.add(bias) : scores);
  return tf.matMul(weights, split(v)).transpose([0, 2, 1, 3]).reshape<tf.Tensor2D>([rows, width]);
}

/** What is added to scores so that no position sees one after it, `[T, T]`. */
export function causalBias(length: number): tf.Tensor2D {
  return tf.sub(1, tf.linalg.bandPart(tf.ones([length, length]), -1, 0)).mul(-1e9) as tf.Tensor2D;
}
