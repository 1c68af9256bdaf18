import { InputError } from '@headwise/core';
import type { Examples } from '@headwise/data';
import { modelParts } from '@headwise/models/internal';
import type { ChatTemplate, Tokenizer } from '@headwise/tokenizers';
import type { ExampleBatch } from '@headwise/training';
import type { Packing } from '../packed-documents.js';
import { classNames } from './classes.js';
import type { FinetuneConfig } from './config.js';
import type { ExampleSize, Lesson, TrainableEmbedding } from './lesson.js';
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
  /** How vectors are made, of `embed`; default normalised means of an encoder's hidden states. */
  embedding?: TrainableEmbedding | undefined;
}

/** Examples as tokens, and what is learned of them. */
export interface EncodedExamples {
  readonly lesson: Lesson<unknown, ExampleBatch>;
  /** The longest row of any example. */
  readonly largest: ExampleSize;
  /** How examples share rows, and how many tokens a row reads; absent: an example a row. */
  readonly packing?: { readonly strategy: Packing; readonly length: number } | undefined;
}

/**
 * Turns the examples of a run into tokens.
 *
 * @param configuration of the model, as `createModel` takes it
 * @throws InputError where the examples are not of a format of the method, the tokenizer is not the model's, or nothing is
 * left to learn
 */
export function encodeExamples(
  config: FinetuneConfig,
  sources: FinetuneSources,
  configuration: unknown,
): EncodedExamples {
  const { method, data } = config;
  const { examples, tokenizer } = sources;
  const formats = methodFormats(method);
  if (!formats.includes(examples.format)) {
    throw new InputError(
      `${method}: the examples are of the format '${examples.format}'; expected ${formats.join(' or ')}`,
    );
  }
  const { vocabSize, maxLength: context } = modelParts(configuration);
  if (tokenizer.vocabSize > vocabSize) {
    throw new InputError(
      `the tokenizer has ${tokenizer.vocabSize} tokens, the model ${vocabSize}; expected the tokenizer of the model`,
    );
  }
  const limits = [data.maxLength, context, sources.embedding?.maxLength];
  const maxLength = Math.min(...limits.map((limit) => limit ?? Number.POSITIVE_INFINITY));
  const classes = classNames(configuration);
  const { masking } = data;
  const lesson = lessonOf(method, { ...sources, maxLength, vocabSize, classes, masking });
  const { taught, sizeOf } = lesson;
  if (taught.examples.length === 0) {
    throw new InputError(
      `${method}: nothing is left to learn of ${taught.leftOut} examples: they are empty, or what is learned of them begins beyond ${maxLength} tokens`,
    );
  }
  const sizes = taught.examples.map(sizeOf);
  const most = (of: (size: ExampleSize) => number) =>
    sizes.reduce((longest, size) => Math.max(longest, of(size)), 0);
  const sourceTokens = most((size) => size.sourceTokens ?? 0);
  return {
    lesson,
    ...(data.packing && { packing: { strategy: data.packing, length: maxLength } }),
    largest: {
      tokens: most(({ tokens }) => tokens),
      ...(sourceTokens > 0 ? { sourceTokens } : {}),
    },
  };
}
