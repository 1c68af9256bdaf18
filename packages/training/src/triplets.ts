import { checkShape } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { ContrastBatch, Embed } from './contrastive.js';
import { type EncoderBatch, encoderInputs } from './encoder-inputs.js';
import type { Objective } from './objective.js';
import { checkPositive } from './preferences.js';

/** Triplets: each anchor with a text that is like it and one that is not, row by row. */
export interface TripletBatch extends ContrastBatch {
  readonly negatives: EncoderBatch;
}

/**
 * Keeps each anchor nearer to its positive than to its negative, by a margin: `max(0, |a − p| − |a − n| + margin)`, the mean over triplets.
 *
 * @param options `margin` of Euclidean distances; default 1, for vectors of length 1
 * @see Schroff, Kalenichenko and Philbin 2015 (FaceNet), https://arxiv.org/abs/1503.03832
 */
export function triplets(
  embed: Embed,
  { margin = 1 }: { margin?: number | undefined } = {},
): Objective<TripletBatch> {
  const name = 'triplets';
  checkPositive(`${name}: margin`, margin);
  return {
    name,
    predicted: ({ anchors }) => anchors.shape[0],
    loss: ({ anchors, positives, negatives }, ctx) => {
      const rows = anchors.shape[0];
      checkShape(`${name}: positives`, [positives.shape[0]], [rows]);
      checkShape(`${name}: negatives`, [negatives.shape[0]], [rows]);
      return tf.tidy(() => {
        const [a, p, n] = [anchors, positives, negatives].map((texts) => {
          const inputs = encoderInputs(name, texts, ctx);
          return embed(inputs.ids, inputs.ctx);
        });
        // The square root has no slope at 0, where two texts are the same.
        const apart = (x: tf.Tensor) => a!.sub(x).square().sum(-1).add(1e-12).sqrt();
        return apart(p!).sub(apart(n!)).add(margin).relu().mean() as tf.Scalar;
      });
    },
  };
}
