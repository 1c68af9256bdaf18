import { checkShape, type ForwardContext, InputError, type LanguageModel } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { TokenBatch } from './causal-language-model.js';
import { countRowTargets } from './cross-entropy.js';
import { sequenceLogProbabilities } from './log-probabilities.js';

/**
 * Pairs of completions of one prompt, of which people prefer the first.
 *
 * Rows 0 to B − 1 are the chosen ones, rows B to 2B − 1 the rejected ones, `[2B, T]`; targets of prompts are ignored.
 */
export interface PreferenceBatch extends TokenBatch {
  /** `[2B]`, the log-probability of each row's completion under the reference model. */
  readonly reference: Float32Array;
}

/** The number of pairs. */
export const pairsOf = ({ shape }: PreferenceBatch): number => shape[0] / 2;

/**
 * How much likelier each row's completion has become than under the reference: `log π(y|x) − log π_ref(y|x)`.
 *
 * @param name of the caller in messages
 * @returns of the first and of the second half of the rows, `[B]` each
 */
export function logRatios(
  name: string,
  network: LanguageModel,
  batch: PreferenceBatch,
  ctx?: ForwardContext,
): [chosen: tf.Tensor1D, rejected: tf.Tensor1D] {
  checkReference(name, batch);
  const ratios = sequenceLogProbabilities(network, batch, ctx).sub(
    tf.tensor1d(batch.reference),
  ) as tf.Tensor1D;
  return tf.split(ratios, 2) as [tf.Tensor1D, tf.Tensor1D];
}

/** Refuses an odd number of rows, references that are not one finite number for each, and rows with nothing to predict. */
export function checkReference(name: string, batch: PreferenceBatch): void {
  const { shape, reference, targets } = batch;
  if (shape[0] % 2 !== 0) {
    throw new InputError(`${name}: the batch has ${shape[0]} rows; expected two for each pair`);
  }
  checkShape(`${name}: reference`, [reference.length], [shape[0]]);
  const wrong = reference.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new InputError(
      `${name}: the reference log-probability of row ${wrong} is ${reference[wrong]}; expected a finite number`,
    );
  }
  const silent = countRowTargets(targets, shape).indexOf(0);
  if (silent >= 0) {
    throw new InputError(
      `${name}: row ${silent} has nothing to predict; expected at least one target in each`,
    );
  }
}

/** Refuses what is not a positive number. */
export function checkPositive(name: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value))) {
    throw new InputError(`${name} is ${value}; expected a positive number`);
  }
}
