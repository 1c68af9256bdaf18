import type { Network } from '@headwise/core';
import {
  type CollatedBatches,
  type Collator,
  collatedBatches,
  splitExamples,
  tokenBatches,
} from '@headwise/data';
import type { Model } from '@headwise/models';
import { type ExampleBatch, evaluate, type Objective, type PathChoice } from '@headwise/training';
import type { ValidationEntry } from '../history.js';
import { collateWith } from './collate-with.js';
import type { FinetuneConfig } from './config.js';
import { type EncodedExamples, encodeExamples, type FinetuneSources } from './encode.js';

/** The batches of a fine-tuning run, and what is learned from them. */
export interface FinetuneData {
  batches: { at(number: number): ExampleBatch };
  /** Measures a network on the examples that are set aside: its loss, and how well it does what it learns. */
  measure(
    network: Network,
    options: { signal?: AbortSignal | undefined },
  ): Promise<ValidationEntry['validation']>;
  /** What a network learns from the batches. */
  objective(network: Network): Objective<ExampleBatch>;
  /** Which parameters are frozen, as the objective does not depend on them; absent: none. */
  freeze?: PathChoice | undefined;
  /** Steps in all. */
  steps: number;
  counts: {
    train: number;
    validation: number;
    /** Examples that were cut to the longest, and those of which nothing was left to learn. */
    cut: number;
    leftOut: number;
    /** Tokens of the examples to train on. */
    tokens: number;
    /** Tokens of the longest example. */
    longest: number;
  };
}

/** The most examples that are set aside for validation. */
const mostValidation = 512;

/**
 * The examples of a run as batches, with a part of them set aside to measure on.
 *
 * @param given the examples, or what `encodeExamples` made of them
 * @throws InputError where the examples are not of a format of the method, the tokenizer is not the model's, or nothing is
 * left to learn; DataError where no example is left to train on
 */
export async function prepareFinetune(
  config: FinetuneConfig,
  given: FinetuneSources | EncodedExamples,
  model: Model,
): Promise<FinetuneData> {
  const { data, training } = config;
  const { lesson, largest } =
    'lesson' in given ? given : encodeExamples(config, given, model.config);
  const { taught, tokensOf, collate, objective, refer, score, freeze, leastRows = 1 } = lesson;
  // A model that cannot learn this is refused before anything is written.
  objective(model.network);
  const encoded = refer ? await refer(model.network, taught.examples) : taught.examples;
  const { seed, batchSize, batchTokens, accumulate } = training;
  const split = (validation: number) =>
    splitExamples(taught.examples.length, { validation, seed, most: mostValidation });
  const wished = split(taught.examples.length === 1 ? 0 : data.validation);
  const parts = wished.validation.length < leastRows ? split(0) : wished;
  const lengthOf = (example: unknown) => {
    const { tokens, sourceTokens = 0 } = lesson.sizeOf(example);
    return Math.max(tokens, sourceTokens);
  };
  const chosen = (numbers: readonly number[]) => numbers.map((n) => encoded[n]!);
  const [train, validation] = [chosen(parts.train), chosen(parts.validation)];
  const batches: CollatedBatches<ExampleBatch> =
    batchTokens === undefined
      ? collatedBatches(train, collate, { batchSize, seed })
      : tokenBatches(train, collate, { batchTokens, batchSize, lengthOf, seed });
  const perEpoch = batches.batchesPerEpoch / accumulate;
  const measured = () => inOrder(validation, collate, { size: batchSize, leastRows });
  const place = (n: number) => taught.places[parts.train[n]!]!;
  return {
    batches: {
      at: (number) => {
        const batch = batches.at(number);
        // What errors name is where an example stands in its file.
        return { ...batch, examples: batch.examples.map(place) };
      },
    },
    async measure(network, options) {
      const asked = { ...options, accuracy: score === undefined };
      const { loss, accuracy } = await evaluate(objective(network), measured(), asked);
      const metrics = score
        ? await score(network, validation, options)
        : accuracy === undefined
          ? {}
          : { 'token accuracy': accuracy, perplexity: Math.exp(loss) };
      return { loss, metrics };
    },
    objective,
    freeze,
    steps: training.steps ?? Math.max(1, Math.ceil(training.epochs * perEpoch)),
    counts: {
      train: train.length,
      validation: validation.length,
      cut: taught.cut,
      leftOut: taught.leftOut,
      tokens: train.reduce<number>((sum, example) => sum + tokensOf(example), 0),
      longest: Math.max(largest.tokens, largest.sourceTokens ?? 0),
    },
  };
}

/** Batches in the order of the examples, but for a last one that is too small to measure; what is random in them is the same every time. */
function* inOrder<T, B>(
  examples: readonly T[],
  collate: Collator<T, B>,
  { size, leastRows }: { size: number; leastRows: number },
): Generator<B> {
  for (let first = 0; first + leastRows <= examples.length; first += size) {
    yield collateWith(collate, examples.slice(first, first + size), first);
  }
}
