import { InputError } from '@headwise/core';

/** How the next token is drawn from a model's scores. */
export interface SamplingOptions {
  /** Divides the scores; 0 takes the best token, 1 (default) leaves them, more is bolder. Counts as 2⁻¹²⁶ between 0 and that. */
  temperature?: number;
  /** Only this many best tokens stay, and those that score the same as the last of them; default all. */
  topK?: number;
  /** Only the fewest best tokens that together have this probability stay; default 1, all. */
  topP?: number;
  /** Only tokens at least this many times as probable as the best stay; default 0, all. */
  minP?: number;
  /** Scores of past tokens are divided by this where positive, else multiplied; default 1. */
  repetitionPenalty?: number;
  /** Taken from a token's score for each time it occurred; default 0. */
  frequencyPenalty?: number;
  /** Taken from the score of every token that occurred; default 0. */
  presencePenalty?: number;
}

/** The smallest number that GPUs do not take for 0. */
const leastTemperature = 2 ** -126;

/**
 * The options with their defaults; `topK` is `Infinity` where all tokens stay.
 *
 * @throws InputError naming the option, its value and its range
 */
export function checkedSampling(options: SamplingOptions): Required<SamplingOptions> {
  const checked = {
    temperature: options.temperature ?? 1,
    topK: options.topK ?? Number.POSITIVE_INFINITY,
    topP: options.topP ?? 1,
    minP: options.minP ?? 0,
    repetitionPenalty: options.repetitionPenalty ?? 1,
    frequencyPenalty: options.frequencyPenalty ?? 0,
    presencePenalty: options.presencePenalty ?? 0,
  };
  const { temperature, topK, topP, minP, repetitionPenalty } = checked;
  const refuse = (name: keyof SamplingOptions, expected: string): never => {
    throw new InputError(`${name} is ${checked[name]}; expected ${expected}`);
  };
  if (!(temperature >= 0 && Number.isFinite(temperature))) {
    refuse('temperature', 'a number of at least 0');
  }
  if (!((Number.isInteger(topK) || topK === Number.POSITIVE_INFINITY) && topK >= 1)) {
    refuse('topK', 'a whole number of at least 1');
  }
  if (!(topP > 0 && topP <= 1)) refuse('topP', '0 < topP ≤ 1');
  if (!(minP >= 0 && minP <= 1)) refuse('minP', '0 ≤ minP ≤ 1');
  if (!(repetitionPenalty > 0 && Number.isFinite(repetitionPenalty))) {
    refuse('repetitionPenalty', 'a number above 0');
  }
  for (const name of ['frequencyPenalty', 'presencePenalty'] as const) {
    if (!Number.isFinite(checked[name])) refuse(name, 'a number');
  }
  return { ...checked, temperature: temperature && Math.max(temperature, leastTemperature) };
}

/**
 * The threshold to compare cumulative probabilities and ratios with: lowered by a rounding error of float32, so that
 * 0.5 + 0.3 reaches 0.8 on every backend.
 */
export const reached = (threshold: number): number => threshold * (1 - 2 ** -20);

/** Whether scores depend on the tokens before. */
export function penalises(options: Required<SamplingOptions>): boolean {
  const { repetitionPenalty, frequencyPenalty, presencePenalty } = options;
  return repetitionPenalty !== 1 || frequencyPenalty !== 0 || presencePenalty !== 0;
}
