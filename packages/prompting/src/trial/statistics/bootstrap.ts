import { InputError, Random } from '@headwise/core';

/** Scores of the same questions from one or several draws of examples: `[draws][questions]`, each from 0 to 1. */
export type Outcomes = readonly (readonly number[])[];

/** How often is resampled, and what the resamples depend on. */
export interface BootstrapOptions {
  /** Resamples. Default 10,000. */
  resamples?: number | undefined;
  /** Default 0. */
  seed?: number | undefined;
  /** The probability that an interval leaves out: default 0.05, for intervals of 95 %. */
  alpha?: number | undefined;
}

/** A mean with its interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** A difference of two means with its interval, and the p-value of there being none. */
export interface Difference extends Estimate {
  readonly p: number;
}

/**
 * The mean with its bootstrap interval: the quantiles `α/2` and `1 − α/2` of the means of resamples.
 *
 * A resample draws questions with replacement, and of several draws of examples also the draws, each independently of the other (the
 * pigeonhole bootstrap): the interval covers other questions and other examples. Where all outcomes are 1, or all 0, resamples say nothing;
 * the open end is then Clopper and Pearson's, `(α/2)^(1/n)` and `1 − (α/2)^(1/n)` of n questions.
 *
 * @throws InputError for no outcomes, draws of other lengths, and options out of range
 * @see Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13, https://doi.org/10.1201/9780429246593
 * @see Owen 2007, https://doi.org/10.1214/07-AOAS122
 * @example
 * bootstrapMean([[1, 0, 1, 1]], { seed: 1 }); // { mean: 0.75, low: 0.25, high: 1 }
 */
export function bootstrapMean(outcomes: Outcomes, options: BootstrapOptions = {}): Estimate {
  const { alpha, ...given } = checked(options);
  const questions = questionsOf(outcomes);
  const mean = meanOf(outcomes);
  if (mean === 0 || mean === 1) {
    const reach = (alpha / 2) ** (1 / questions);
    return { mean, low: mean === 1 ? reach : 0, high: mean === 1 ? 1 : 1 - reach };
  }
  const means = resampled([outcomes], given).map(([own]) => own!);
  return { mean, ...interval(means, alpha) };
}

/**
 * The difference of two means over the same questions, by the paired bootstrap.
 *
 * Both are resampled with the same questions, and with the same draws where both have as many; a side with one draw keeps it. The p-value is
 * two-sided: `p = min(1, 2 min(#{Δ* ≤ 0} + 1, #{Δ* ≥ 0} + 1) / (R + 1))` of R resampled differences `Δ*`.
 *
 * @returns the mean of the first minus that of the second
 * @throws InputError as `bootstrapMean`, for other numbers of questions, and for several draws whose numbers differ
 * @see Koehn 2004, https://aclanthology.org/W04-3250
 */
export function bootstrapDifference(
  first: Outcomes,
  second: Outcomes,
  options: BootstrapOptions = {},
): Difference {
  const { alpha, ...given } = checked(options);
  const [questions, others] = [questionsOf(first), questionsOf(second)];
  if (questions !== others) {
    throw new InputError(`there are ${questions} and ${others} questions; expected the same ones`);
  }
  if (first.length > 1 && second.length > 1 && first.length !== second.length) {
    throw new InputError(
      `there are ${first.length} and ${second.length} draws; expected as many, or one`,
    );
  }
  const differences = resampled([first, second], given).map(([a, b]) => a! - b!);
  // Rounding of equal sums must not decide on which side of 0 a difference lies.
  const below = differences.filter((value) => value <= 1e-12).length;
  const above = differences.filter((value) => value >= -1e-12).length;
  const p = Math.min(1, (2 * (Math.min(below, above) + 1)) / (differences.length + 1));
  return { mean: meanOf(first) - meanOf(second), ...interval(differences, alpha), p };
}

/** The means of each of some outcomes, in each resample. */
function resampled(
  all: readonly Outcomes[],
  { resamples, seed }: { resamples: number; seed: number },
): number[][] {
  const random = new Random(seed);
  const draws = Math.max(...all.map(({ length }) => length));
  const questions = all[0]![0]!.length;
  const asked = new Uint32Array(questions);
  const drawn = new Uint32Array(draws);
  return Array.from({ length: resamples }, () => {
    for (let q = 0; q < questions; q++) asked[q] = random.nextUint32() % questions;
    if (draws > 1) for (let d = 0; d < draws; d++) drawn[d] = random.nextUint32() % draws;
    return all.map((outcomes) => {
      if (outcomes.length === 1) return sumOf(outcomes[0]!, asked) / questions;
      let sum = 0;
      for (let d = 0; d < draws; d++) sum += sumOf(outcomes[drawn[d]!]!, asked);
      return sum / (draws * questions);
    });
  });
}

function sumOf(values: readonly number[], places: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < places.length; i++) sum += values[places[i]!]!;
  return sum;
}

/** Quantiles between two values are interpolated. */
function interval(values: readonly number[], alpha: number): { low: number; high: number } {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const [before, after] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
    return before + (after - before) * (place - Math.floor(place));
  };
  return { low: at(alpha / 2), high: at(1 - alpha / 2) };
}

function meanOf(outcomes: Outcomes): number {
  const sum = outcomes.flat().reduce((total, value) => total + value, 0);
  return sum / (outcomes.length * outcomes[0]!.length);
}

function questionsOf(outcomes: Outcomes): number {
  const length = outcomes[0]?.length ?? 0;
  if (length === 0) throw new InputError('there are no outcomes; expected at least one');
  const other = outcomes.find((draw) => draw.length !== length);
  if (!other) return length;
  throw new InputError(`a draw has ${other.length} outcomes; expected ${length}, as the first`);
}

function checked({ resamples = 10_000, seed = 0, alpha = 0.05 }: BootstrapOptions) {
  if (!Number.isSafeInteger(resamples) || resamples < 1) {
    throw new InputError(`resamples is ${resamples}; expected a whole number of at least 1`);
  }
  if (!(alpha > 0 && alpha < 1)) {
    throw new InputError(`alpha is ${alpha}; expected a number between 0 and 1`);
  }
  return { resamples, seed, alpha };
}
