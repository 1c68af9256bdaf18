import { InputError } from '@headwise/core';
import type { Prompt, TextOptions } from '@headwise/text';
import { checkCount } from '../check-count.js';
import type { PromptModel } from '../prompt-model.js';
import type { Extracted, Extractor } from './extract.js';

/** A value, and how many answers gave it. */
export interface Vote<T> {
  readonly value: T;
  readonly count: number;
  /** `count` among all answers, those without a value included. */
  readonly share: number;
}

/**
 * Counts the distinct values of some answers, the most frequent first; of equally frequent values the first one.
 *
 * @param keyOf values of the same key are the same; default their JSON
 */
export function countVotes<T>(
  answers: readonly Extracted<T>[],
  keyOf: (value: T) => string = (value) => JSON.stringify(value),
): Vote<T>[] {
  const counts = new Map<string, { value: T; count: number }>();
  for (const answer of answers) {
    if ('problem' in answer) continue;
    const key = keyOf(answer.value);
    const { value, count } = counts.get(key) ?? { value: answer.value, count: 0 };
    counts.set(key, { value, count: count + 1 });
  }
  return [...counts.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ value, count }) => ({ value, count, share: count / answers.length }));
}

/** Options of `selfConsistency`, and of generation. */
export interface SelfConsistencyOptions<T> extends Omit<TextOptions, 'seed' | 'temperature'> {
  /** How many answers are sampled. */
  samples: number;
  /** Sample n has the seed `seed + n`. */
  seed: number;
  /** Above 0 for several samples: a model's own default may be greedy decoding, which gives one answer. */
  temperature: number;
  /** Finds the answer in what the model wrote. */
  extract: Extractor<T>;
  /** Values of the same key are the same answer. Default their JSON. */
  keyOf?: ((value: T) => string) | undefined;
}

/** A sampled answer. */
export interface Sample<T> {
  readonly text: string;
  readonly seed: number;
  readonly extracted: Extracted<T>;
}

/** The answer that most samples agree on. */
export interface Consensus<T> {
  /** Undefined where no sample has one. */
  readonly value: T | undefined;
  /** Every value, the most frequent first. */
  readonly votes: readonly Vote<T>[];
  /** In the order of their seeds. */
  readonly samples: readonly Sample<T>[];
}

/**
 * Samples several answers and takes the most frequent one.
 *
 * @throws InputError for fewer than one sample, and for several without a temperature above 0, which would all be the same
 * @see Wang et al. 2022, https://arxiv.org/abs/2203.11171
 * @example
 * const extract = byPattern(/answer is (\d+)/);
 * const { value, votes } = await selfConsistency(model, prompt, { samples: 20, seed: 1, temperature: 0.7, extract });
 */
export async function selfConsistency<T>(
  model: PromptModel,
  prompt: Prompt,
  { samples, seed, extract, keyOf, ...options }: SelfConsistencyOptions<T>,
): Promise<Consensus<T>> {
  checkCount('samples', samples, 1);
  if (samples > 1 && !(options.temperature > 0)) {
    throw new InputError(
      `temperature is ${options.temperature} for ${samples} samples, which would all be the same; expected a greater one`,
    );
  }
  const seeds = Array.from({ length: samples }, (_, n) => seed + n);
  const written = await model.write(
    seeds.map(() => prompt),
    seeds.map((own) => ({ ...options, seed: own })),
  );
  const all = written.map(({ text }, n) => ({ text, seed: seeds[n]!, extracted: extract(text) }));
  const votes = countVotes(
    all.map(({ extracted }) => extracted),
    keyOf,
  );
  return { value: votes[0]?.value, votes, samples: all };
}
