import { InputError } from '@headwise/core';

/** How the next token is drawn from a model's scores. */
export interface SamplingOptions {
  /** Divides the scores; 0 takes the best token, 1 (default) leaves them, more is bolder. Counts as 2⁻¹²⁶ between 0 and that. */
  temperature?: number | undefined;
  /** Only tokens that score within this many standard deviations of the best stay; default 0, all. */
  topNSigma?: number | undefined;
  /** Only this many best tokens stay, and those that score the same as the last of them; default all. */
  topK?: number | undefined;
  /** Only the fewest best tokens that together have this probability stay; default 1, all. */
  topP?: number | undefined;
  /** Only tokens at least this many times as probable as the best stay; default 0, all. */
  minP?: number | undefined;
  /** Only the fewest most typical tokens that together have this probability stay; default 1, all. */
  typicalP?: number | undefined;
  /** Only tokens of at least this probability stay; default 0, all. */
  epsilonCutoff?: number | undefined;
  /** Only tokens of a probability of at least `min(η, √η exp(−entropy))` stay; default 0, all. */
  etaCutoff?: number | undefined;
  /** Scores of past tokens are divided by this where positive, else multiplied; default 1. */
  repetitionPenalty?: number | undefined;
  /** Scores of the source's tokens are multiplied by this where positive, else divided; default 1. */
  encoderRepetitionPenalty?: number | undefined;
  /** Taken from a token's score for each time it occurred; default 0. */
  frequencyPenalty?: number | undefined;
  /** Taken from the score of every token that occurred; default 0. */
  presencePenalty?: number | undefined;
}

/** The options with their defaults. */
export type CheckedSampling = Record<keyof SamplingOptions, number>;

/** The smallest number that GPUs do not take for 0. */
const leastTemperature = 2 ** -126;

type Range = readonly [expected: string, test: (value: number) => boolean];
const positive: Range = ['a number above 0', (value) => value > 0 && Number.isFinite(value)];
const atLeast0: Range = ['a number of at least 0', (value) => value >= 0 && Number.isFinite(value)];
const finite: Range = ['a number', Number.isFinite];
const share = (name: string): Range => [`0 < ${name} ≤ 1`, (value) => value > 0 && value <= 1];

const ranges: Readonly<Record<keyof SamplingOptions, Range>> = {
  temperature: atLeast0,
  topNSigma: atLeast0,
  topK: [
    'a whole number of at least 1',
    (value) => (Number.isInteger(value) || value === Number.POSITIVE_INFINITY) && value >= 1,
  ],
  topP: share('topP'),
  minP: ['0 ≤ minP ≤ 1', (value) => value >= 0 && value <= 1],
  typicalP: share('typicalP'),
  epsilonCutoff: ['0 ≤ epsilonCutoff < 1', (value) => value >= 0 && value < 1],
  etaCutoff: ['0 ≤ etaCutoff < 1', (value) => value >= 0 && value < 1],
  repetitionPenalty: positive,
  encoderRepetitionPenalty: positive,
  frequencyPenalty: finite,
  presencePenalty: finite,
};

/**
 * The options with their defaults; `topK` is `Infinity` where all tokens stay.
 *
 * @throws InputError naming the option, its value and its range
 */
export function checkedSampling(options: SamplingOptions): CheckedSampling {
  const checked = {
    temperature: options.temperature ?? 1,
    topNSigma: options.topNSigma ?? 0,
    topK: options.topK ?? Number.POSITIVE_INFINITY,
    topP: options.topP ?? 1,
    minP: options.minP ?? 0,
    typicalP: options.typicalP ?? 1,
    epsilonCutoff: options.epsilonCutoff ?? 0,
    etaCutoff: options.etaCutoff ?? 0,
    repetitionPenalty: options.repetitionPenalty ?? 1,
    encoderRepetitionPenalty: options.encoderRepetitionPenalty ?? 1,
    frequencyPenalty: options.frequencyPenalty ?? 0,
    presencePenalty: options.presencePenalty ?? 0,
  };
  for (const [name, [expected, test]] of Object.entries(ranges)) {
    const value = checked[name as keyof SamplingOptions];
    if (!test(value)) throw new InputError(`${name} is ${value}; expected ${expected}`);
  }
  const { temperature } = checked;
  return { ...checked, temperature: temperature && Math.max(temperature, leastTemperature) };
}

/**
 * The threshold to compare cumulative probabilities and ratios with: lowered by a rounding error of float32, so that
 * 0.5 + 0.3 reaches 0.8 on every backend.
 */
export const reached = (threshold: number): number => threshold * (1 - 2 ** -20);

/** Whether scores depend on the tokens before. */
export function penalises(options: CheckedSampling): boolean {
  const { repetitionPenalty, frequencyPenalty, presencePenalty } = options;
  return repetitionPenalty !== 1 || frequencyPenalty !== 0 || presencePenalty !== 0;
}
