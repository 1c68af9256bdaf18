import { checkShape, type EncoderContext, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { meanCrossEntropy } from './cross-entropy.js';
import { type EncoderBatch, encoderInputs } from './encoder-inputs.js';
import type { ExampleBatch, Objective } from './objective.js';
import { checkPositive } from './preferences.js';

/**
 * Vectors of texts, `[B, D]`, such as `(ids, ctx) => sentenceEmbeddings(network, ids, ctx)`.
 *
 * Where a temperature is to mean what the papers mean, the vectors have length 1.
 *
 * @param ids `[B, T]`, int32
 */
export type Embed = (ids: tf.Tensor, ctx: EncoderContext) => tf.Tensor;

/** Texts that belong together, row by row. */
export interface ContrastBatch extends ExampleBatch {
  readonly anchors: EncoderBatch;
  /** As many rows as anchors: row `n` belongs to anchor `n`. */
  readonly positives: EncoderBatch;
  /** Texts that belong to no anchor, any number: hard negatives. */
  readonly negatives?: EncoderBatch | undefined;
}

export interface ContrastOptions {
  /**
   * What similarities are divided by, default 0.05; or a variable `s` to train, in which case they are multiplied by
   * `min(eˢ, 100)`, as CLIP does (start it at `log(1 / 0.07)`).
   */
  temperature?: number | tf.Variable | undefined;
}

export interface PairContrastOptions extends ContrastOptions {
  /** The encoder of positives and negatives; default that of the anchors. */
  other?: Embed | undefined;
  /** Whether positives find their anchors too, and both losses are averaged (CLIP); default false. */
  symmetric?: boolean | undefined;
}

/**
 * Finds each anchor's positive among all positives of the batch and the hard negatives (InfoNCE): the mean over anchors, in nats.
 *
 * `−log(exp(aₙ·pₙ / τ) / Σₘ exp(aₙ·pₘ / τ))`. The negatives of accumulated batches are those of each batch, not of all.
 *
 * @see van den Oord et al. 2018, https://arxiv.org/abs/1807.03748; Radford et al. 2021 (CLIP), https://arxiv.org/abs/2103.00020
 */
export function contrastivePairs(
  embed: Embed,
  { other = embed, symmetric = false, temperature = 0.05 }: PairContrastOptions = {},
): Objective<ContrastBatch> {
  const name = 'contrastive learning of pairs';
  checkTemperature(name, temperature);
  return {
    name,
    predicted: ({ anchors }) => anchors.shape[0],
    loss: (batch, ctx) => {
      const { anchors, positives, negatives } = batch;
      checkShape(`${name}: positives`, [positives.shape[0]], [anchors.shape[0]]);
      checkRows(name, anchors.shape[0] + (negatives?.shape[0] ?? 0));
      if (symmetric && negatives) {
        throw new InputError(
          `${name}: symmetric, and the batch has negatives; they belong to no anchor that they could find`,
        );
      }
      return tf.tidy(() => {
        const vectors = (encode: Embed, texts: EncoderBatch) => {
          const inputs = encoderInputs(name, texts, ctx);
          return encode(inputs.ids, inputs.ctx) as tf.Tensor2D;
        };
        const a = vectors(embed, anchors);
        const p = vectors(other, positives);
        const candidates = negatives ? tf.concat([p, vectors(other, negatives)]) : p;
        const scores = scaled(tf.matMul(a, candidates, false, true), temperature); // [B, B + N]
        const loss = diagonal(scores);
        return symmetric ? loss.add(diagonal(scores.transpose())).div<tf.Scalar>(2) : loss;
      });
    },
  };
}

/**
 * Finds each text's other view among those of the batch, where two views are two passes with different dropout: the mean over
 * texts, in nats.
 *
 * The model must drop something, or both views are the same.
 *
 * @see Gao, Yao and Chen 2021 (SimCSE), https://arxiv.org/abs/2104.08821
 */
export function contrastiveViews(
  embed: Embed,
  { temperature = 0.05 }: ContrastOptions = {},
): Objective<EncoderBatch> {
  const name = 'contrastive learning of views';
  checkTemperature(name, temperature);
  return {
    name,
    predicted: ({ shape }) => shape[0],
    loss: (batch, ctx) => {
      checkRows(name, batch.shape[0]);
      return tf.tidy(() => {
        const inputs = encoderInputs(name, batch, ctx);
        const [first, second] = [1, 2].map(() => embed(inputs.ids, inputs.ctx) as tf.Tensor2D);
        return diagonal(scaled(tf.matMul(first!, second!, false, true), temperature));
      });
    },
  };
}

/** The mean cross-entropy of the scores, `[B, ≥ B]`, where row `n` is to find column `n`. */
function diagonal(scores: tf.Tensor): tf.Scalar {
  return meanCrossEntropy(scores, tf.range(0, scores.shape[0]!, 1, 'int32'));
}

/** CLIP's largest factor of similarities. */
const largestScale = 100;

function scaled(similarities: tf.Tensor, temperature: number | tf.Variable): tf.Tensor {
  if (typeof temperature === 'number') return similarities.div(temperature);
  return similarities.mul(temperature.minimum(Math.log(largestScale)).exp());
}

function checkTemperature(name: string, temperature: number | tf.Variable): void {
  if (typeof temperature === 'number') checkPositive(`${name}: temperature`, temperature);
  else checkShape(`${name}: temperature`, temperature.shape, []);
}

function checkRows(name: string, rows: number): void {
  if (rows < 2) {
    throw new InputError(
      `${name}: the batch has one row and no negatives; expected something to tell it from`,
    );
  }
}
