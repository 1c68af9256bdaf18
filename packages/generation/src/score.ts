import { InputError, isEncoderDecoder, readTensor } from '@headwise/core';
import { lengthGroups, nextTask } from '@headwise/core/internal';
import { sampleTokens } from '@headwise/kernels';
import { checkIdValues, vocabularyOf } from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';
import type { Generator } from './batch-scores.js';
import { type GeneratedToken, probabilitiesOf } from './draw.js';
import { checkPrompt } from './prompt.js';
import { type ScoredSequence, scoresOfPlaces } from './score-rows.js';
import { checkAlternatives } from './stream.js';

/** A prompt and what is scored after it. */
export interface PromptAndCompletion {
  readonly prompt: readonly number[];
  readonly completion: readonly number[];
}

export interface ScoreOptions {
  /** The number of likeliest tokens to give at each place; default 0. */
  alternatives?: number | undefined;
  /** Ends scoring from outside, with its reason as the error. */
  signal?: AbortSignal | undefined;
}

/** A token that was given, and its probability. */
export interface ScoredToken extends GeneratedToken {
  /** Whether it has the best score at its place: greedy decoding draws it there. */
  readonly isGreedy: boolean;
}

/** The probability of a completion. */
export interface CompletionScore {
  /** The tokens of the completion. */
  readonly tokens: readonly ScoredToken[];
  /** `Σ log p(token | all before)`: the natural logarithm of the completion's probability. */
  readonly logProbability: number;
  /** Whether greedy decoding of the prompt gives the completion. */
  readonly isGreedy: boolean;
}

/** Tokens of a batch, padding included, that the model reads at once. */
const tokensAtOnce = 4096;

/**
 * The probability of a completion after a prompt; for an encoder-decoder the prompt is what the encoder reads.
 *
 * The tokens of a text itself, but its first, are the completion of its first token: `score(network, ids.slice(0, 1), ids.slice(1))`.
 * Logits exist for some of the completion's places at a time, a few megabytes.
 *
 * @throws InputError for a prompt that is empty, ids outside the vocabulary, and more tokens than the model's context holds;
 * where scores are not numbers
 * @example
 * const { logProbability, isGreedy } = await score(network, encode('The sky is').ids, encode(' blue').ids);
 */
export async function score(
  network: Generator,
  prompt: readonly number[],
  completion: readonly number[],
  options: ScoreOptions = {},
): Promise<CompletionScore> {
  const [scored] = await scoreBatch(network, [{ prompt, completion }], options);
  return scored!;
}

/**
 * The probabilities of several completions of any lengths, as `score` gives each.
 *
 * Sequences of about the same length share a pass of the model, of at most 4,096 tokens.
 *
 * @returns in the order of the pairs
 * @throws InputError as `score` does, before any pass
 */
export async function scoreBatch(
  network: Generator,
  pairs: readonly PromptAndCompletion[],
  { alternatives = 0, signal }: ScoreOptions = {},
): Promise<CompletionScore[]> {
  checkAlternatives(alternatives);
  const sequences = pairs.map((pair) => sequenceOf(network, pair));
  const tokens = pairs.map((): ScoredToken[] => []);
  for (const group of groupsOf(sequences)) {
    const own = group.map((n) => sequences[n]!);
    for (const { scores, places } of scoresOfPlaces(network, own)) {
      signal?.throwIfAborted();
      const ids = places.map(
        ({ sequence, place }) => pairs[group[sequence]!]!.completion[place - own[sequence]!.from]!,
      );
      const best = await greedyIds(scores);
      const scored = await probabilitiesOf(scores, ids, alternatives);
      for (const [row, { sequence }] of places.entries()) {
        tokens[group[sequence]!]!.push({ ...scored[row]!, isGreedy: best[row] === ids[row] });
      }
      await nextTask();
    }
  }
  return tokens.map((tokens) => ({
    tokens,
    logProbability: tokens.reduce((sum, { logProbability }) => sum + logProbability, 0),
    isGreedy: tokens.every(({ isGreedy }) => isGreedy),
  }));
}

/** What a model reads to score a completion: all but its last token. */
function sequenceOf(
  network: Generator,
  { prompt, completion }: PromptAndCompletion,
): ScoredSequence {
  checkPrompt(network, prompt);
  checkIdValues(completion, vocabularyOf(network.vocabSize));
  const start = isEncoderDecoder(network) ? [network.startId] : prompt;
  const inputs = [...start, ...completion.slice(0, -1)];
  if (inputs.length > network.maxLength) {
    throw new InputError(
      `${start.length} tokens and a completion of ${completion.length}; the model's context holds ${network.maxLength} before the last`,
    );
  }
  // Without a completion, no place is wanted.
  return { prompt, inputs, from: completion.length > 0 ? start.length - 1 : inputs.length };
}

/** What greedy decoding draws from each row of scores. */
async function greedyIds(scores: tf.Tensor2D): Promise<ArrayLike<number>> {
  const drawn = sampleTokens(scores, { temperature: 0 }, 0);
  try {
    return await readTensor(drawn);
  } finally {
    drawn.dispose();
  }
}

/** Sequences that are read at once, by their indices; those without a wanted place are left out. */
function groupsOf(sequences: readonly ScoredSequence[]): number[][] {
  const wanted = [...sequences.keys()].filter(
    (n) => sequences[n]!.from < sequences[n]!.inputs.length,
  );
  const lengthOf = (n: number) =>
    Math.max(sequences[n]!.inputs.length, sequences[n]!.prompt.length);
  return lengthGroups(wanted, lengthOf, tokensAtOnce);
}
