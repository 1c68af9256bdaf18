import { InputError } from '@headwise/core';

/** An answer with the probability that the model gave it. */
export interface RatedAnswer {
  /** From 0 to 1. */
  readonly confidence: number;
  readonly correct: boolean;
}

/** Answers of about one confidence. */
export interface CalibrationBin {
  /** Confidences above `from`, up to `to`; those of 0 are in the first bin. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** The mean confidence, and the share that is correct; undefined without answers. */
  readonly confidence: number | undefined;
  readonly accuracy: number | undefined;
}

/**
 * Answers in bins of equal width by their confidence: the points of a reliability diagram.
 *
 * @param bins how many, default 10
 * @throws InputError for confidences outside 0 to 1, and for fewer than one bin
 */
export function calibrationBins(answers: readonly RatedAnswer[], bins = 10): CalibrationBin[] {
  if (!Number.isSafeInteger(bins) || bins < 1) {
    throw new InputError(`bins is ${bins}; expected a whole number of at least 1`);
  }
  const groups: RatedAnswer[][] = Array.from({ length: bins }, () => []);
  for (const answer of answers) {
    const { confidence } = answer;
    if (!(confidence >= 0 && confidence <= 1)) {
      throw new InputError(`a confidence is ${confidence}; expected a number from 0 to 1`);
    }
    // The bound between two bins counts to the lower one; the search guards against the rounding of confidence · bins.
    let n = Math.max(0, Math.ceil(confidence * bins) - 1);
    if (n > 0 && confidence <= n / bins) n--;
    groups[n]!.push(answer);
  }
  return groups.map((group, n) => ({
    from: n / bins,
    to: (n + 1) / bins,
    count: group.length,
    confidence: meanOf(group.map(({ confidence }) => confidence)),
    accuracy: meanOf(group.map(({ correct }) => Number(correct))),
  }));
}

/**
 * The expected calibration error: how far confidence is from accuracy, by bins of confidence.
 *
 * `ECE = Σ_b |B_b| / n · |acc(B_b) − conf(B_b)|`; 0 for a model that is right as often as it says.
 *
 * @param bins of equal width, default 10
 * @throws InputError as `calibrationBins`, and for no answers
 * @see Guo et al. 2017, https://arxiv.org/abs/1706.04599
 */
export function calibrationError(answers: readonly RatedAnswer[], bins = 10): number {
  if (answers.length === 0) throw new InputError('there are no answers; expected at least one');
  return calibrationBins(answers, bins).reduce(
    (sum, { count, confidence = 0, accuracy = 0 }) =>
      sum + (count / answers.length) * Math.abs(accuracy - confidence),
    0,
  );
}

const meanOf = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
