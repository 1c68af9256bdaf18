import type { ContinuationScore } from '../prompt-model.js';

/** An option with its probability after the prompt. */
export interface OptionScore extends ContinuationScore {
  /** As it was given, without the lead. */
  readonly option: string;
}

/** What the log-probability of an option is divided by, to compare options of other lengths. */
export const normalizations = ['sum', 'mean', 'bytes', 'characters'] as const;

/**
 * `'sum'`: nothing, `log p`; `'mean'`: its tokens; `'bytes'`: its bytes in UTF-8; `'characters'`: its code points, the `acc_norm` of
 * lm-evaluation-harness.
 */
export type Normalization = (typeof normalizations)[number];

/** The log-probability of an option, normalised, in nats or nats per unit. */
export function normalizedScore(
  { option, tokens, logProbability }: OptionScore,
  normalization: Normalization,
): number {
  const units = {
    sum: () => 1,
    mean: () => tokens.length,
    bytes: () => new TextEncoder().encode(option).length,
    characters: () => [...option].length,
  };
  return logProbability / units[normalization]();
}

/**
 * The probability of each option among them all: `softmax(s)` of their normalised scores.
 *
 * @returns in the order of the options; their sum is 1
 */
export function optionProbabilities(
  scores: readonly OptionScore[],
  normalization: Normalization = 'sum',
): number[] {
  const values = scores.map((score) => normalizedScore(score, normalization));
  const greatest = Math.max(...values);
  const weights = values.map((value) => Math.exp(value - greatest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
