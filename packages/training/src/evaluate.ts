import { InputError, readTensor } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { DivergedError } from './diverged.js';
import { inExamples } from './gradients.js';
import { termsOf, totalCounts } from './loss-terms.js';
import type { ExampleBatch, Objective } from './objective.js';

/** How well a model does what it was trained for. */
export interface Evaluation {
  /** The mean over what is predicted: for a language model, nats a token; of several terms the sum of their means. */
  loss: number;
  /** `exp(loss)` */
  perplexity: number;
  /** What the loss is the mean of: tokens, sequences or pairs; of several terms that of the first. */
  predicted: number;
  /** The share of predictions that are right, where it was asked for and the objective tells. */
  accuracy?: number | undefined;
}

export interface EvaluateOptions {
  /** Ends the evaluation before the next batch, with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Counts the right predictions too, in a second pass over each batch; default false. */
  accuracy?: boolean | undefined;
}

/**
 * The mean loss over all that batches predict: that of one batch of all their rows. Each term of a loss is averaged by its own
 * counts.
 *
 * @throws InputError without anything to predict; DivergedError where the loss of a batch is not finite
 */
export async function evaluate<B extends ExampleBatch>(
  objective: Objective<B>,
  batches: Iterable<NoInfer<B>>,
  { signal, accuracy = false }: EvaluateOptions = {},
): Promise<Evaluation> {
  const terms = termsOf(objective);
  const counts: (readonly number[])[] = [];
  const sums: number[] = [];
  let predicted = 0;
  let correct = 0;
  for (const batch of batches) {
    signal?.throwIfAborted();
    const own = terms.counts(batch);
    counts.push(own);
    if (own.every((count) => count === 0)) continue;
    const means = await readMeans(terms.means(batch));
    const loss = means.reduce((sum, mean) => sum + mean, 0);
    if (!Number.isFinite(loss)) {
      throw new DivergedError(
        `the loss of batch ${counts.length - 1}${inExamples([batch])} is ${loss}: the scores of the model are not finite, or too large for 32 bits`,
        { examples: batch.examples },
      );
    }
    for (const [term, mean] of means.entries()) {
      sums[term] = (sums[term] ?? 0) + mean * own[term]!;
    }
    const count = objective.predicted(batch);
    predicted += count;
    if (accuracy && objective.correct && count > 0) {
      const right = objective.correct(batch);
      correct += (await readTensor(right))[0]!;
      right.dispose();
    }
  }
  const totals = totalCounts(counts);
  if (totals.every((total) => total === 0)) {
    throw new InputError(
      counts.length === 0
        ? 'evaluate: there is no batch to evaluate'
        : `evaluate: the ${counts.length} batches have nothing to predict by ${objective.name}`,
    );
  }
  const loss = totals.reduce(
    (sum, total, term) => (total === 0 ? sum : sum + sums[term]! / total),
    0,
  );
  return {
    loss,
    perplexity: Math.exp(loss),
    predicted,
    ...(accuracy && objective.correct && predicted > 0 ? { accuracy: correct / predicted } : {}),
  };
}

/** The values of scalars, which are disposed. */
async function readMeans(means: readonly tf.Scalar[]): Promise<readonly number[]> {
  const all = tf.stack([...means]);
  try {
    return Array.from(await readTensor(all));
  } finally {
    tf.dispose([all, ...means]);
  }
}

/**
 * Bits per byte of a text: `loss · predicted / (bytes · ln 2)`.
 *
 * Unlike perplexity it compares models of different tokenizers.
 *
 * @param bytes the UTF-8 length of the text that the tokens stand for
 */
export function bitsPerByte({ loss, predicted }: Evaluation, bytes: number): number {
  return (loss * predicted) / (bytes * Math.LN2);
}
