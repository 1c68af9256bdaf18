import { InputError, readTensor } from '@headwise/core';
import { DivergedError } from './diverged.js';
import { inExamples } from './gradients.js';
import type { ExampleBatch, Objective } from './objective.js';

/** How well a model does what it was trained for. */
export interface Evaluation {
  /** The mean over what is predicted: for a language model, nats a token. */
  loss: number;
  /** `exp(loss)` */
  perplexity: number;
  /** What the loss is the mean of: tokens, sequences or pairs. */
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
 * The mean loss over all that batches predict.
 *
 * @throws InputError without anything to predict; DivergedError where the loss of a batch is not finite
 */
export async function evaluate<B extends ExampleBatch>(
  objective: Objective<B>,
  batches: Iterable<NoInfer<B>>,
  { signal, accuracy = false }: EvaluateOptions = {},
): Promise<Evaluation> {
  let sum = 0;
  let predicted = 0;
  let correct = 0;
  let number = 0;
  for (const batch of batches) {
    signal?.throwIfAborted();
    const count = objective.predicted(batch);
    if (count > 0) {
      const loss = objective.loss(batch);
      const [value] = await readTensor(loss);
      loss.dispose();
      if (!Number.isFinite(value)) {
        throw new DivergedError(
          `the loss of batch ${number}${inExamples([batch])} is ${value}: the scores of the model are not finite, or too large for 32 bits`,
          { examples: batch.examples },
        );
      }
      sum += value! * count;
      predicted += count;
      if (accuracy && objective.correct) {
        const right = objective.correct(batch);
        correct += (await readTensor(right))[0]!;
        right.dispose();
      }
    }
    number++;
  }
  if (predicted === 0) {
    throw new InputError(
      number === 0
        ? 'evaluate: there is no batch to evaluate'
        : `evaluate: the ${number} batches have nothing to predict by ${objective.name}`,
    );
  }
  return {
    loss: sum / predicted,
    perplexity: Math.exp(sum / predicted),
    predicted,
    ...(accuracy && objective.correct ? { accuracy: correct / predicted } : {}),
  };
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
