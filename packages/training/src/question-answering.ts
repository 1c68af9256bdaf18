import { checkShape, type EncoderModel } from '@headwise/core';
import { checkIdValues } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { meanCrossEntropy } from './cross-entropy.js';
import { type EncoderBatch, encoderInputs, outputOf } from './encoder-inputs.js';
import type { Objective } from './objective.js';

/** Questions with their texts, and where the answers stand. */
export interface AnswerBatch extends EncoderBatch {
  /** `[B]`, the place of each answer's first token; that of the first token of all where there is no answer. */
  readonly starts: Int32Array;
  /** `[B]`, the place of each answer's last token. */
  readonly ends: Int32Array;
}

/**
 * Finds the answer to a question in a text: half of the cross-entropies of its first and of its last token, in nats.
 *
 * @param network with a head whose outputs are `startLogits` and `endLogits`, `[B, T]`
 * @see Devlin et al. 2019, section 4.2, https://arxiv.org/abs/1810.04805
 */
export function questionAnswering(network: EncoderModel): Objective<AnswerBatch> {
  const name = 'question answering';
  return {
    name,
    predicted: ({ shape }) => shape[0],
    loss: (batch, ctx) => {
      const { starts, ends, shape } = batch;
      for (const [what, places] of Object.entries({ starts, ends })) {
        checkShape(`${name}: ${what}`, [places.length], [shape[0]]);
        const of = `the ${shape[1]} tokens of a row`;
        checkIdValues(places, { name: `${what.slice(0, -1)} place`, count: shape[1], of });
      }
      return tf.tidy(() => {
        const inputs = encoderInputs(name, batch, ctx);
        const outputs = network.forward(inputs.ids, inputs.ctx);
        const start = meanCrossEntropy(
          outputOf(name, outputs, 'startLogits'),
          tf.tensor1d(starts, 'int32'),
        );
        const end = meanCrossEntropy(
          outputOf(name, outputs, 'endLogits'),
          tf.tensor1d(ends, 'int32'),
        );
        return start.add(end).div(2) as tf.Scalar;
      });
    },
  };
}
