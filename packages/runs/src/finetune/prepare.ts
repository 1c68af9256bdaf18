import type { Network } from '@headwise/core';
import { splitExamples } from '@headwise/data';
import type { Model } from '@headwise/models';
import { type ExampleBatch, evaluate, type Objective, type PathChoice } from '@headwise/training';
import type { ValidationEntry } from '../history.js';
import { sampledShare } from '../scheduled-sampling.js';
import type { FinetuneConfig } from './config.js';
import { type EncodedExamples, encodeExamples, type FinetuneSources } from './encode.js';
import { readExamples } from './read-examples.js';

/** The batches of a fine-tuning run, and what is learned from them. */
export interface FinetuneData<B = ExampleBatch> {
  batches: { at(number: number): B };
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
    /** What is counted; default examples. */
    of?: 'windows' | undefined;
    train: number;
    validation: number;
    /** Examples that were cut to the longest, and those of which nothing was left to learn. */
    cut: number;
    leftOut: number;
    /** Tokens of the examples to train on. */
    tokens: number;
    /** Tokens of the longest example. */
    longest: number;
    /** Rows that the examples to train on are packed into; absent: an example a row. */
    rows?: number | undefined;
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
  const { lesson, largest, packing } =
    'lesson' in given ? given : encodeExamples(config, given, model.config);
  const { taught, tokensOf, objective, refer, score, freeze, leastRows = 1 } = lesson;
  // A model that cannot learn this is refused before anything is written.
  objective(model.network);
  const encoded = refer ? await refer(model.network, taught.examples) : taught.examples;
  const { seed } = training;
  const split = (validation: number) =>
    splitExamples(taught.examples.length, { validation, seed, most: mostValidation });
  const wished = split(taught.examples.length === 1 ? 0 : data.validation);
  const parts = wished.validation.length < leastRows ? split(0) : wished;
  const chosen = (numbers: readonly number[]) => numbers.map((n) => encoded[n]!);
  const [train, validation] = [chosen(parts.train), chosen(parts.validation)];
  const read = readExamples({ train, validation }, { lesson, packing }, training);
  const { batches } = read;
  const perEpoch = batches.batchesPerEpoch / training.accumulate;
  const steps = training.steps ?? Math.max(1, Math.ceil(training.epochs * perEpoch));
  const share = sampledShare(training.scheduledSampling, steps);
  const place = (n: number) => taught.places[parts.train[n]!]!;
  return {
    batches: {
      at: (number) => {
        const batch = batches.at(number);
        const sampled = share(Math.floor(number / training.accumulate));
        return {
          ...batch,
          // What errors name is where an example stands in its file.
          examples: batch.examples.map(place),
          ...(training.scheduledSampling ? { sampled } : {}),
        };
      },
    },
    async measure(network, options) {
      const asked = { ...options, accuracy: score === undefined };
      const { loss, accuracy } = await evaluate(objective(network), read.measured(), asked);
      const metrics = score
        ? await score(network, validation, options)
        : accuracy === undefined
          ? {}
          : { 'token accuracy': accuracy, perplexity: Math.exp(loss) };
      return { loss, metrics };
    },
    objective,
    freeze,
    steps,
    counts: {
      train: train.length,
      validation: validation.length,
      cut: taught.cut,
      leftOut: taught.leftOut,
      tokens: train.reduce<number>((sum, example) => sum + tokensOf(example), 0),
      longest: Math.max(largest.tokens, largest.sourceTokens ?? 0),
      ...(read.rows === undefined ? {} : { rows: read.rows }),
    },
  };
}
