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

const defaults = { resamples: 10_000, alpha: 0.05 };

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
  return estimateOf(outcomes, resampledMeans([outcomes], options)[0]!, options);
}

/** The mean of some outcomes, from the means of their resamples. */
export function estimateOf(
  outcomes: Outcomes,
  means: Float64Array,
  { alpha = defaults.alpha }: BootstrapOptions,
): Estimate {
  const mean = meanOf(outcomes);
  if (mean === 0 || mean === 1) {
    const reach = (alpha / 2) ** (1 / outcomes[0]!.length);
    return { mean, low: mean === 1 ? reach : 0, high: mean === 1 ? 1 : 1 - reach };
  }
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
  const [a, b] = resampledMeans([first, second], options);
  return differenceOf([first, a!], [second, b!], options);
}

/** The difference of two means, from those of the same resamples. */
export function differenceOf(
  [first, a]: readonly [Outcomes, Float64Array],
  [second, b]: readonly [Outcomes, Float64Array],
  { alpha = defaults.alpha }: BootstrapOptions,
): Difference {
  const differences = a.map((mean, i) => mean - b[i]!);
  // Rounding of equal sums must not decide on which side of 0 a difference lies.
  const below = differences.filter((value) => value <= 1e-12).length;
  const above = differences.filter((value) => value >= -1e-12).length;
  const p = Math.min(1, (2 * (Math.min(below, above) + 1)) / (differences.length + 1));
  return { mean: meanOf(first) - meanOf(second), ...interval(differences, alpha), p };
}

/**
 * The means of each of some outcomes in the same resamples.
 *
 * @throws InputError as `bootstrapDifference`
 */
export function resampledMeans(
  all: readonly Outcomes[],
  { resamples = defaults.resamples, seed = 0, alpha = defaults.alpha }: BootstrapOptions,
): Float64Array[] {
  checkBootstrap({ resamples, alpha });
  const { questions, draws } = sizesOf(all);
  const random = new Random(seed);
  const asked = new Uint32Array(questions);
  const drawn = new Uint32Array(draws);
  const means = all.map(() => new Float64Array(resamples));
  for (let r = 0; r < resamples; r++) {
    for (let q = 0; q < questions; q++) asked[q] = random.nextUint32() % questions;
    if (draws > 1) for (let d = 0; d < draws; d++) drawn[d] = random.nextUint32() % draws;
    for (const [i, outcomes] of all.entries()) {
      let sum = 0;
      if (outcomes.length === 1) sum = draws * sumOf(outcomes[0]!, asked);
      else for (let d = 0; d < draws; d++) sum += sumOf(outcomes[drawn[d]!]!, asked);
      means[i]![r] = sum / (draws * questions);
    }
  }
  return means;
}

function sizesOf(all: readonly Outcomes[]): { questions: number; draws: number } {
  const questions = questionsOf(all[0]!);
  const draws = Math.max(...all.map(({ length }) => length));
  for (const outcomes of all) {
    const others = questionsOf(outcomes);
    if (others !== questions) {
      throw new InputError(
        `there are ${questions} and ${others} questions; expected the same ones`,
      );
    }
    if (outcomes.length === 1 || outcomes.length === draws) continue;
    throw new InputError(
      `there are ${draws} and ${outcomes.length} draws; expected as many, or one`,
    );
  }
  return { questions, draws };
}

function sumOf(values: readonly number[], places: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < places.length; i++) sum += values[places[i]!]!;
  return sum;
}

/** Quantiles between two values are interpolated. */
function interval(values: Float64Array, alpha: number): { low: number; high: number } {
  const sorted = values.toSorted();
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

/** @throws InputError for options out of range */
export function checkBootstrap({
  resamples = defaults.resamples,
  alpha = defaults.alpha,
}: BootstrapOptions): void {
  if (!Number.isSafeInteger(resamples) || resamples < 1) {
    throw new InputError(`resamples is ${resamples}; expected a whole number of at least 1`);
  }
  if (!(alpha > 0 && alpha < 1)) {
    throw new InputError(`alpha is ${alpha}; expected a number between 0 and 1`);
  }
}
