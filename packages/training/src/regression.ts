import { checkShape, type EncoderModel, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { type EncoderBatch, encoderInputs, outputOf } from './encoder-inputs.js';
import type { Objective } from './objective.js';

/** Texts with numbers to tell for each, such as how alike two sentences are. */
export interface ValuedBatch extends EncoderBatch {
  /** `[B, K]` row by row. */
  readonly values: Float32Array;
}

/**
 * Tells numbers of a sequence: the mean of `(logits − values)²`.
 *
 * @param network with a head whose output is `logits` `[B, K]`
 * @see Devlin et al. 2019, section 4.1 (STS-B), https://arxiv.org/abs/1810.04805
 */
export function regression(network: EncoderModel): Objective<ValuedBatch> {
  const name = 'regression';
  return {
    name,
    predicted: ({ shape }) => shape[0],
    loss: (batch, ctx) => {
      const { values, shape } = batch;
      const wrong = values.findIndex((value) => !Number.isFinite(value));
      if (wrong >= 0) {
        throw new InputError(
          `${name}: value ${wrong} is ${values[wrong]}; expected a finite number`,
        );
      }
      return tf.tidy(() => {
        const inputs = encoderInputs(name, batch, ctx);
        const logits = outputOf(name, network.forward(inputs.ids, inputs.ctx), 'logits');
        checkShape(`${name}: values for logits [${logits.shape}]`, [values.length], [logits.size]);
        checkShape(`${name}: logits`, logits.shape, [shape[0], 'K']);
        return logits.sub(tf.tensor(values, logits.shape)).square().mean() as tf.Scalar;
      });
    },
  };
}
