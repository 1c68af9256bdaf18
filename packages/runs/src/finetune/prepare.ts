import { InputError, isLanguageModel } from '@headwise/core';
import {
  type CollatedBatches,
  collatedBatches,
  type ExampleFormat,
  type Examples,
  nextTokens,
  splitExamples,
} from '@headwise/data';
import type { Model } from '@headwise/models';
import type { Tokenizer } from '@headwise/tokenizers';
import type { TokenBatch } from '@headwise/training';
import type { FinetuneConfig, FinetuneMethod } from './config.js';
import { encodeForNextTokens } from './encode.js';

/** The formats that each method learns from. */
export const methodFormats: Readonly<Record<FinetuneMethod, readonly ExampleFormat[]>> = {
  sft: ['completion', 'text'],
  lora: ['completion', 'text'],
};

/** What a model is fine-tuned on. */
export interface FinetuneSources {
  /** As `parseExamples` of `@headwise/data` gives them, in a format of `methodFormats`. */
  examples: Examples;
  tokenizer: Tokenizer;
  /** The id that ends a text, `eos_token_id`; absent: texts have no end that is learned. */
  endId?: number | undefined;
}

/** The batches of a fine-tuning run. */
export interface FinetuneData {
  batches: Pick<CollatedBatches<TokenBatch>, 'at'>;
  /** The batches to measure on: the same every time. */
  validation(): Iterable<TokenBatch>;
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
export function prepareFinetune(
  config: FinetuneConfig,
  { examples, tokenizer, endId }: FinetuneSources,
  model: Model,
): FinetuneData {
  const { method, data, training } = config;
  if (!isLanguageModel(model.network)) {
    throw new InputError(
      `${method}: the model does not predict the next token; expected a decoder`,
    );
  }
  if (examples.format !== 'text' && examples.format !== 'completion') {
    throw new InputError(
      `${method}: the examples are of the format '${examples.format}'; expected one of ${methodFormats[method].join(', ')}`,
    );
  }
  const { vocabSize } = model.network;
  if (tokenizer.vocabSize > vocabSize) {
    throw new InputError(
      `the tokenizer has ${tokenizer.vocabSize} tokens, the model ${vocabSize}; expected the tokenizer of the model`,
    );
  }
  const maxLength = Math.min(data.maxLength, model.network.maxLength);
  const encoded = encodeForNextTokens(examples, { tokenizer, endId, maxLength });
  if (encoded.examples.length === 0) {
    throw new InputError(
      `${method}: nothing is left to learn of ${encoded.leftOut} examples: they are empty, or their prompts are longer than ${maxLength} tokens`,
    );
  }
  const { seed, batchSize, accumulate } = training;
  const parts = splitExamples(encoded.examples.length, {
    validation: encoded.examples.length === 1 ? 0 : data.validation,
    seed,
    most: mostValidation,
  });
  const chosen = (numbers: readonly number[]) => numbers.map((n) => encoded.examples[n]!);
  const [train, validation] = [chosen(parts.train), chosen(parts.validation)];
  const batches = collatedBatches(train, nextTokens, { batchSize, seed });
  const perEpoch = batches.batchesPerEpoch / accumulate;
  const place = (n: number) => encoded.places[parts.train[n]!]!;
  return {
    batches: {
      at: (number) => {
        const batch = batches.at(number);
        // What errors name is where an example stands in its file.
        return { ...batch, examples: batch.examples.map(place) };
      },
    },
    *validation() {
      for (let first = 0; first < validation.length; first += batchSize) {
        yield nextTokens(validation.slice(first, first + batchSize));
      }
    },
    steps: training.steps ?? Math.max(1, Math.ceil(training.epochs * perEpoch)),
    counts: {
      train: train.length,
      validation: validation.length,
      cut: encoded.cut,
      leftOut: encoded.leftOut,
      tokens: train.reduce((sum, { ids }) => sum + ids.length, 0),
      longest: encoded.examples.reduce((most, { ids }) => Math.max(most, ids.length), 0),
    },
  };
}
