import type { Network } from '@headwise/core';
import type { Collator, ExampleFormat, Examples } from '@headwise/data';
import type { ChatTemplate, Tokenizer } from '@headwise/tokenizers';
import type { Embed, ExampleBatch, Objective, PathChoice } from '@headwise/training';
import type { Masking } from '../masking.js';

/** What turns examples into what a model learns from. */
export interface LessonSources<F extends ExampleFormat = ExampleFormat> {
  examples: Extract<Examples, { format: F }>;
  tokenizer: Tokenizer;
  chatTemplate?: ChatTemplate | undefined;
  /** The id that ends a text; undefined where it has none. */
  endId?: number | undefined;
  /** The most tokens of an example. */
  maxLength: number;
  /** The vocabulary of the model. */
  vocabSize: number;
  /** What is masked at once; default single tokens. */
  masking?: Masking | undefined;
  /** The names of a classifier's classes, by number. */
  classes?: readonly string[] | undefined;
  embedding?: TrainableEmbedding | undefined;
}

/** How a model that embeds texts makes its vectors. */
export interface TrainableEmbedding {
  /** Vectors `[B, D]` from ids `[B, T]`; their lengths do not count. */
  vectors(network: Network): Embed;
  /** A text as it is encoded, such as in lower case; default as it is. */
  written?: ((text: string) => string) | undefined;
  /** The most tokens of a text, where that is less than the model's context. */
  maxLength?: number | undefined;
}

/** How large an example is. */
export interface ExampleSize {
  tokens: number;
  /** Of an encoder-decoder. */
  sourceTokens?: number | undefined;
}

/** Examples as a model learns from them, how they become batches, and what is learned. */
export interface Lesson<T, B extends ExampleBatch> {
  taught: Taught<T>;
  /** How many tokens an example has in all. */
  tokensOf(example: T): number;
  /** The longest row of an example in a batch. */
  sizeOf(example: T): ExampleSize;
  /** Any example of a size, to plan the memory by. */
  ofSize(size: ExampleSize): T;
  collate: Collator<T, B>;
  objective(network: Network): Objective<B>;
  /** Which of the model's parameters are frozen, as the loss does not depend on them; default none. */
  freeze?: PathChoice | undefined;
  /** The fewest examples that a batch can be learned from; default 1. */
  leastRows?: number | undefined;
  /** Adds to the examples what the model says of them before training. */
  refer?: ((network: Network, examples: readonly T[]) => Promise<T[]>) | undefined;
  /** How well a model does it, besides its loss: shares from 0 to 1 by name; absent: the share of right predictions. */
  score?: Score<T> | undefined;
}

/** Scores a model on examples, by what is scored. */
export type Score<T> = (
  network: Network,
  examples: readonly T[],
  options: { signal?: AbortSignal | undefined },
) => Promise<Record<string, number>>;

/** Examples as tokens. */
export interface Taught<T> {
  examples: T[];
  /** Where each of them stands in its file. */
  places: number[];
  /** How many were cut to the longest. */
  cut: number;
  /** How many were left out, as nothing is left to learn of them. */
  leftOut: number;
}

/**
 * Turns examples into tokens one by one.
 *
 * @param encode gives an example, and whether it was cut; undefined where nothing is left to learn
 */
export function teach<E, T>(
  { examples, places }: { examples: readonly E[]; places: readonly number[] },
  encode: (example: E, place: number) => { example: T; cut: boolean } | undefined,
): Taught<T> {
  const taught: Taught<T> = { examples: [], places: [], cut: 0, leftOut: 0 };
  for (const [i, given] of examples.entries()) {
    const made = encode(given, places[i]!);
    if (!made) {
      taught.leftOut++;
      continue;
    }
    if (made.cut) taught.cut++;
    taught.examples.push(made.example);
    taught.places.push(places[i]!);
  }
  return taught;
}

/** A text as at most so many tokens, whatever `tokenizer.json` says of truncation and padding. */
export function encodeWithin(
  tokenizer: Tokenizer,
  text: string,
  maxLength: number,
): { encoding: ReturnType<Tokenizer['encode']>; cut: boolean } {
  const truncation = { maxLength };
  const encoding = tokenizer.encode(text, { truncation, padding: null });
  return { encoding, cut: encoding.overflowing.length > 0 };
}

/** The id of the first of some tokens that a tokenizer has. */
export function idOfAny(tokenizer: Tokenizer, tokens: readonly string[]): number | undefined {
  return tokens.map((token) => tokenizer.tokenToId(token)).find((id) => id !== undefined);
}

/** As many ids as an example of a size has. */
export const zeros = (count: number): number[] => new Array<number>(Math.max(1, count)).fill(0);
