import * as tf from '@tensorflow/tfjs';
import type { StockVariables } from './variables.js';

/** What a model reads, and what it should say. */
export interface StockBatch {
  /** `[B, T]` */
  inputs: tf.Tensor2D;
  /** `[B · T]` */
  targets: tf.Tensor1D;
  /** `[B · T]`, 1 where something is to be predicted; default everywhere. */
  weights?: tf.Tensor1D;
}

/** A model in stock TensorFlow.js. */
export interface StockModel {
  variables: StockVariables;
  /** Scores of the vocabulary for each target, `[B · T, V]`. */
  scores(batch: StockBatch): tf.Tensor2D;
}

/** Trains a model with what TensorFlow.js has: Adam, without clipping and decay. */
export class StockTrainer {
  readonly #model: StockModel;
  readonly #optimizer = tf.train.adam(1e-3);

  constructor(model: StockModel) {
    this.#model = model;
  }

  /** One step; the loss before it. */
  step(batch: StockBatch): tf.Scalar {
    const { variables, scores } = this.#model;
    const loss = () => {
      const logits = scores(batch);
      const oneHot = tf.oneHot(batch.targets, logits.shape[1]);
      return tf.losses.softmaxCrossEntropy(oneHot, logits, batch.weights) as tf.Scalar;
    };
    return this.#optimizer.minimize(loss, true, variables.all)!;
  }

  dispose(): void {
    this.#optimizer.dispose();
    this.#model.variables.dispose();
  }
}
