import { InputError, type Network, Random } from '@headwise/core';
import { type Collator, collatedBatches, type Examples, splitExamples } from '@headwise/data';
import type { Model } from '@headwise/models';
import type { ChatTemplate, Tokenizer } from '@headwise/tokenizers';
import type { ExampleBatch, Objective } from '@headwise/training';
import { classNames } from './classes.js';
import type { FinetuneConfig } from './config.js';
import { lessonOf, methodFormats } from './methods.js';

/** What a model is fine-tuned on. */
export interface FinetuneSources {
  /** As `parseExamples` of `@headwise/data` gives them, in a format of `methodFormats`. */
  examples: Examples;
  tokenizer: Tokenizer;
  /** Of the model; chats need it. */
  chatTemplate?: ChatTemplate | undefined;
  /** The id that ends a text, `eos_token_id`; absent: texts have no end that is learned. */
  endId?: number | undefined;
}

/** The batches of a fine-tuning run, and what is learned from them. */
export interface FinetuneData {
  batches: { at(number: number): ExampleBatch };
  /** The batches to measure on: the same every time. */
  validation(): Iterable<ExampleBatch>;
  /** What a network learns from the batches. */
  objective(network: Network): Objective<ExampleBatch>;
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
 * @throws InputError where the examples are not of a format of the method, the tokenizer is not the model's, or nothing is
 * left to learn; DataError where no example is left to train on
 */
export async function prepareFinetune(
  config: FinetuneConfig,
  { examples, tokenizer, chatTemplate, endId }: FinetuneSources,
  model: Model,
): Promise<FinetuneData> {
  const { method, data, training } = config;
  const formats = methodFormats(method);
  if (!formats.includes(examples.format)) {
    throw new InputError(
      `${method}: the examples are of the format '${examples.format}'; expected ${formats.join(' or ')}`,
    );
  }
  const { vocabSize } = model.network;
  if (tokenizer.vocabSize > vocabSize) {
    throw new InputError(
      `the tokenizer has ${tokenizer.vocabSize} tokens, the model ${vocabSize}; expected the tokenizer of the model`,
    );
  }
  const maxLength = Math.min(data.maxLength, model.network.maxLength);
  const { taught, tokensOf, collate, objective, refer } = lessonOf(method, {
    examples,
    tokenizer,
    chatTemplate,
    endId,
    maxLength,
    vocabSize,
    classes: classNames(model.config),
  });
  if (taught.examples.length === 0) {
    throw new InputError(
      `${method}: nothing is left to learn of ${taught.leftOut} examples: they are empty, or what is learned of them begins beyond ${maxLength} tokens`,
    );
  }
  // A model that cannot learn this is refused before anything is written.
  objective(model.network);
  const encoded = refer ? await refer(model.network, taught.examples) : taught.examples;
  const { seed, batchSize, accumulate } = training;
  const parts = splitExamples(taught.examples.length, {
    validation: taught.examples.length === 1 ? 0 : data.validation,
    seed,
    most: mostValidation,
  });
  const chosen = (numbers: readonly number[]) => numbers.map((n) => encoded[n]!);
  const [train, validation] = [chosen(parts.train), chosen(parts.validation)];
  const batches = collatedBatches(train, collate, { batchSize, seed });
  const perEpoch = batches.batchesPerEpoch / accumulate;
  const place = (n: number) => taught.places[parts.train[n]!]!;
  return {
    batches: {
      at: (number) => {
        const batch = batches.at(number);
        // What errors name is where an example stands in its file.
        return { ...batch, examples: batch.examples.map(place) };
      },
    },
    validation: () => inOrder(validation, collate, batchSize),
    objective,
    steps: training.steps ?? Math.max(1, Math.ceil(training.epochs * perEpoch)),
    counts: {
      train: train.length,
      validation: validation.length,
      cut: taught.cut,
      leftOut: taught.leftOut,
      tokens: train.reduce<number>((sum, example) => sum + tokensOf(example), 0),
      longest: taught.examples.reduce<number>((most, one) => Math.max(most, tokensOf(one)), 0),
    },
  };
}

/** Batches in the order of the examples; what is random in them is the same every time. */
function* inOrder<T, B>(
  examples: readonly T[],
  collate: Collator<T, B>,
  size: number,
): Generator<B> {
  for (let first = 0; first < examples.length; first += size) {
    const random = new Random(first);
    yield collate(examples.slice(first, first + size), () => Math.floor(random.next() * 2 ** 32));
  }
}
