import { type ForwardContext, InputError } from '@headwise/core';
import { valueAndGradients } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { termsOf, totalCounts } from './loss-terms.js';
import type { ExampleBatch, Objective } from './objective.js';
import { checkTrainable } from './trainable.js';

/**
 * A loss and its gradient with respect to each parameter, by path.
 *
 * @throws InputError where the loss does not depend on a parameter, a part of the model is packed, or a parameter is frozen
 */
export function lossAndGradients(
  params: Readonly<Record<string, tf.Variable>>,
  loss: () => tf.Scalar,
): { loss: tf.Scalar; gradients: Record<string, tf.Tensor> } {
  checkTrainable('lossAndGradients', params);
  const entries = Object.entries(params);
  const made = valueAndGradients(
    loss,
    entries.map(([, variable]) => variable),
  );
  const missing = made.gradients.indexOf(undefined);
  if (missing >= 0) {
    tf.dispose([made.value, ...made.gradients.filter((gradient) => gradient !== undefined)]);
    throw new InputError(
      `parameter '${entries[missing]![0]}' has no gradient: the loss does not depend on it`,
    );
  }
  const gradients = Object.fromEntries(entries.map(([path], i) => [path, made.gradients[i]!]));
  return { loss: made.value, gradients };
}

/** What a batch's loss and its gradient are multiplied by. */
export interface Weights {
  share: number;
  slope: number;
}

/** Computes the gradients of batches in a way of its own. */
export interface BatchGradients<B> {
  /**
   * The loss and the gradients of a batch, which the caller disposes; undefined where it cannot.
   *
   * @param lasting whether they are still read when the next batch is computed
   */
  of(batch: B, weights: Weights, lasting: boolean): ReturnType<typeof lossAndGradients> | undefined;
}

/** The gradients of several batches, as of one batch of all their rows. */
export interface AccumulatedGradients<B> {
  /** The batches with something to predict. */
  batches: B[];
  /** For each of them its terms, each times its part of what that term is the mean of: they sum to the loss of all. */
  losses: tf.Scalar[];
  /** By path, times the loss scale. */
  gradients: Record<string, tf.Tensor>;
  /** What all batches predict together. */
  predicted: number;
}

/**
 * Gradients of the mean loss over everything that several batches predict: `Σᵢ Σₖ (nᵢₖ / nₖ) ∇ℓᵢₖ` over batches `i` and
 * terms `k`, each term with its own counts.
 *
 * A mean over the batches' means would give a token of a short batch more weight than one of a long batch.
 *
 * @param name of the caller in messages
 * @param lossScale multiplies the gradients, from the losses on: the losses stay as they are
 * @param recorded computes what it can
 * @throws InputError where no batch has anything to predict
 */
export function accumulateGradients<B extends ExampleBatch>(
  name: string,
  params: Readonly<Record<string, tf.Variable>>,
  objective: Objective<B>,
  batches: readonly B[],
  ctx: ForwardContext,
  lossScale = 1,
  recorded?: BatchGradients<B>,
): AccumulatedGradients<B> {
  const terms = termsOf(objective);
  const counts = batches.map((batch) => terms.counts(batch));
  const totals = totalCounts(counts);
  const hasAny = (of: readonly number[]) => of.some((count) => count > 0);
  if (!hasAny(totals)) {
    throw new InputError(
      `${name}: nothing to predict by ${objective.name}${inExamples(batches)}; expected at least one target`,
    );
  }
  const used = batches.filter((_, i) => hasAny(counts[i]!));
  const shares = counts
    .filter(hasAny)
    .map((own) => own.map((count, term) => (count === 0 ? 0 : count / totals[term]!)));
  const losses: tf.Scalar[] = [];
  let gradients: Record<string, tf.Tensor> | undefined;
  try {
    for (const [i, batch] of used.entries()) {
      const own = shares[i]!;
      const weights = { share: own[0]!, slope: own[0]! * lossScale };
      const made =
        recorded?.of(batch, weights, i < used.length - 1) ??
        lossAndGradients(params, () => {
          const parts = terms
            .means(batch, ctx)
            .map((mean, term) => weighted(mean, own[term]!, own[term]! * lossScale));
          return parts.length === 1 ? parts[0]! : (tf.addN(parts) as tf.Scalar);
        });
      losses.push(made.loss);
      gradients = gradients ? added(gradients, made.gradients) : made.gradients;
    }
  } catch (error) {
    tf.dispose([losses, gradients ?? []]);
    throw error;
  }
  const predicted = batches.reduce((sum, batch) => sum + objective.predicted(batch), 0);
  return { batches: used, losses, gradients: gradients!, predicted };
}

/** A term of a loss times a share, whose gradient is multiplied by another factor. */
export function weighted(
  loss: tf.Scalar,
  share: number | tf.Scalar,
  slope: number | tf.Scalar,
): tf.Scalar {
  if (share === 1 && slope === 1) return loss;
  return tf.customGrad((x) => ({
    value: (x as tf.Tensor).mul(share),
    gradFunc: (dy: tf.Tensor) => dy.mul(slope),
  }))(loss) as tf.Scalar;
}

/** ` in the examples 3, 17`, where batches name them. */
export function inExamples(batches: readonly ExampleBatch[]): string {
  const examples = batches.flatMap((batch) => batch.examples ?? []);
  return examples.length > 0 ? ` in the examples ${examples.join(', ')}` : '';
}

/** The sums of two records of tensors, which are disposed. */
function added(
  a: Record<string, tf.Tensor>,
  b: Record<string, tf.Tensor>,
): Record<string, tf.Tensor> {
  const sums: Record<string, tf.Tensor> = {};
  for (const path of Object.keys(a)) {
    sums[path] = a[path]!.add(b[path]!);
    tf.dispose([a[path]!, b[path]!]);
  }
  return sums;
}
