import { InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { ExampleBatch, LossTerms, Objective } from './objective.js';

/** The sum of an objective's terms, as its loss. */
export function sumOfTerms<B extends ExampleBatch>({ means }: LossTerms<B>): Objective<B>['loss'] {
  return (batch, ctx) => tf.tidy(() => tf.addN([...means(batch, ctx)]) as tf.Scalar);
}

/**
 * The terms of an objective's loss; the loss itself where it has one.
 *
 * `means` throws InputError where an objective gives another number of terms than of counts.
 */
export function termsOf<B extends ExampleBatch>(objective: Objective<B>): LossTerms<B> {
  const { terms, name } = objective;
  if (!terms) {
    return {
      counts: (batch) => [objective.predicted(batch)],
      means: (batch, ctx) => [objective.loss(batch, ctx)],
    };
  }
  return {
    counts: (batch) => terms.counts(batch),
    means(batch, ctx) {
      const means = terms.means(batch, ctx);
      const { length } = terms.counts(batch);
      if (means.length === length) return means;
      tf.dispose([...means]);
      throw new InputError(
        `${name}: the loss has ${means.length} terms and ${length} counts; expected one for each term`,
      );
    },
  };
}

/** The counts of several batches together, term by term. */
export function totalCounts(counts: readonly (readonly number[])[]): number[] {
  const [first = []] = counts;
  return first.map((_, term) => counts.reduce((sum, own) => sum + own[term]!, 0));
}
