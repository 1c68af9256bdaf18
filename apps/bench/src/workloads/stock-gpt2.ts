import { gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';

export interface StockSizes {
  layers: number;
  dim: number;
  heads: number;
  length: number;
  vocabulary: number;
}

interface StockBlock {
  norm1: [tf.Variable, tf.Variable];
  qkv: [tf.Variable, tf.Variable];
  out: [tf.Variable, tf.Variable];
  norm2: [tf.Variable, tf.Variable];
  up: [tf.Variable, tf.Variable];
  down: [tf.Variable, tf.Variable];
}

/**
 * GPT-2 as one writes it in TensorFlow.js without any package of ours: the peer of a training step.
 *
 * Its embedding gradient on wasm is a product with one-hot rows, as that backend lacks a gradient of gather.
 */
export class StockGpt2 {
  readonly #sizes: StockSizes;
  readonly #tokens: tf.Variable;
  readonly #positions: tf.Variable;
  readonly #blocks: StockBlock[];
  readonly #norm: [tf.Variable, tf.Variable];
  readonly #variables: tf.Variable[] = [];
  readonly #optimizer = tf.train.adam(1e-3);

  constructor(sizes: StockSizes) {
    this.#sizes = sizes;
    const { dim, layers, vocabulary, length } = sizes;
    const matrix = (rows: number, columns: number) =>
      this.#keep(tf.tidy(() => gaussian([rows, columns], this.#variables.length).mul(0.02)));
    const affine = (rows: number, columns: number): [tf.Variable, tf.Variable] => [
      matrix(rows, columns),
      this.#keep(tf.zeros([columns])),
    ];
    const norm = (): [tf.Variable, tf.Variable] => [
      this.#keep(tf.ones([dim])),
      this.#keep(tf.zeros([dim])),
    ];
    this.#tokens = matrix(vocabulary, dim);
    this.#positions = matrix(length, dim);
    this.#blocks = Array.from({ length: layers }, () => ({
      norm1: norm(),
      qkv: affine(dim, 3 * dim),
      out: affine(dim, dim),
      norm2: norm(),
      up: affine(dim, 4 * dim),
      down: affine(4 * dim, dim),
    }));
    this.#norm = norm();
  }

  /** One step of Adam; the loss before it. */
  step(ids: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
    return this.#optimizer.minimize(() => this.#loss(ids, labels), true, this.#variables)!;
  }

  dispose(): void {
    this.#optimizer.dispose();
    tf.dispose(this.#variables);
  }

  #keep(tensor: tf.Tensor): tf.Variable {
    const variable = tf.variable(tensor);
    tensor.dispose();
    this.#variables.push(variable);
    return variable;
  }

  #loss(ids: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
    const { dim, length, vocabulary } = this.#sizes;
    const rows = ids.size;
    const tokens = this.#tokens as tf.Tensor2D;
    const embedded =
      tf.getBackend() === 'wasm'
        ? tf.matMul(tf.oneHot(ids.flatten(), vocabulary).toFloat(), tokens)
        : tf.gather(tokens, ids.flatten());
    let x = embedded
      .reshape([rows / length, length, dim])
      .add(this.#positions)
      .reshape<tf.Tensor2D>([rows, dim]);
    for (const block of this.#blocks) {
      x = x.add(this.#attention(norm(x, block.norm1), block));
      const hidden = gelu(affine(norm(x, block.norm2), block.up));
      x = x.add(affine(hidden as tf.Tensor2D, block.down));
    }
    const logits = tf.matMul(norm(x, this.#norm), tokens, false, true);
    return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, vocabulary), logits);
  }

  #attention(x: tf.Tensor2D, block: StockBlock): tf.Tensor2D {
    const { dim, heads, length } = this.#sizes;
    const batch = x.shape[0] / length;
    const split = (part: tf.Tensor) =>
      part.reshape([batch, length, heads, dim / heads]).transpose([0, 2, 1, 3]);
    const [q, k, v] = tf.split(affine(x, block.qkv), 3, 1).map(split);
    const scores = tf.matMul(q!, k!, false, true).div(Math.sqrt(dim / heads));
    const mask = tf.sub(1, tf.linalg.bandPart(tf.ones([length, length]), -1, 0)).mul(-1e9);
    const mixed = tf.matMul(tf.softmax(scores.add(mask)), v!);
    const merged = mixed.transpose([0, 2, 1, 3]).reshape<tf.Tensor2D>([batch * length, dim]);
    return affine(merged, block.out);
  }
}

function affine(x: tf.Tensor2D, [weight, bias]: [tf.Variable, tf.Variable]): tf.Tensor2D {
  return tf.add(tf.matMul(x, weight as tf.Tensor2D), bias);
}

function norm(x: tf.Tensor2D, [weight, bias]: [tf.Variable, tf.Variable]): tf.Tensor2D {
  const { mean, variance } = tf.moments(x, 1, true);
  return x.sub(mean).div(variance.add(1e-5).sqrt()).mul(weight).add(bias);
}

function gelu(x: tf.Tensor): tf.Tensor {
  const inner = x.add(x.pow(3).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(inner.tanh().add(1));
}
