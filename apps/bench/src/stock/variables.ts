import { gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';

/** A matrix `[I, O]` and its bias. */
export type Affine = readonly [weight: tf.Variable, bias: tf.Variable];

/** The variables of a model in stock TensorFlow.js: normal with a deviation of 0.02, as GPT-2's and BERT's. */
export class StockVariables {
  readonly all: tf.Variable[] = [];

  matrix(rows: number, columns: number): tf.Variable {
    return this.#keep(() => gaussian([rows, columns], this.all.length).mul(0.02));
  }

  ones(size: number): tf.Variable {
    return this.#keep(() => tf.ones([size]));
  }

  zeros(size: number): tf.Variable {
    return this.#keep(() => tf.zeros([size]));
  }

  affine(inputs: number, outputs: number): Affine {
    return [this.matrix(inputs, outputs), this.zeros(outputs)];
  }

  norm(size: number): Affine {
    return [this.ones(size), this.zeros(size)];
  }

  dispose(): void {
    tf.dispose(this.all);
  }

  #keep(make: () => tf.Tensor): tf.Variable {
    const tensor = tf.tidy(make);
    const variable = tf.variable(tensor);
    tensor.dispose();
    this.all.push(variable);
    return variable;
  }
}
