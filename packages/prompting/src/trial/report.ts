import { InputError } from '@headwise/core';
import type { TrialRecord } from './record.js';
import {
  type BootstrapOptions,
  type Difference,
  differenceOf,
  estimateOf,
  resampledMeans,
} from './statistics/bootstrap.js';
import {
  type CalibrationBin,
  calibrationBins,
  calibrationError,
  type RatedAnswer,
} from './statistics/calibration-error.js';
import { holmAdjusted } from './statistics/holm.js';
import { mcnemarTest } from './statistics/mcnemar.js';

/** What a report is made of besides records. */
export interface TrialReportOptions extends BootstrapOptions {
  /** Seconds that the answers of each condition took. Default unknown. */
  readonly seconds?: ReadonlyMap<string, number> | undefined;
  /** Price of a token that is read, and of one that is written, in any currency. Default unknown. */
  readonly price?: { readonly read: number; readonly written: number } | undefined;
}

/** What all variants of a prompt, a number of shots and a way to answer came to. */
export interface ConditionResult {
  readonly condition: string;
  readonly prompt: string;
  readonly shots: number;
  readonly chain: boolean;
  /** Draws and orders of examples. */
  readonly variants: number;
  /** Questions, the same for every condition. */
  readonly questions: number;
  /** The share of right answers over all variants, with its interval: `bootstrapMean` over draws and questions. */
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  /** The accuracy of each variant, in the order of their seeds and orders. */
  readonly each: readonly number[];
  /** The share of answers in which no label was found. */
  readonly unanswered: number;
  /** Of scored answers: `calibrationError`, and the bins of a reliability diagram. */
  readonly calibration?:
    | { readonly error: number; readonly bins: readonly CalibrationBin[] }
    | undefined;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly seconds?: number | undefined;
  readonly cost?: number | undefined;
}

/** Two conditions on the same questions. */
export interface Comparison extends Difference {
  readonly first: string;
  readonly second: string;
  /** Of conditions with one variant each: questions that only the first answers, that only the second does, and McNemar's exact p. */
  readonly mcnemar?:
    | { readonly onlyFirst: number; readonly onlySecond: number; readonly p: number }
    | undefined;
  /** McNemar's p or else that of the paired bootstrap, adjusted by Holm's method for all comparisons of the report. */
  readonly adjusted: number;
}

/** What a trial came to. */
export interface TrialReport {
  /** The probability that an interval covers, 0.95 by default. */
  readonly level: number;
  /** In the order of the trial. */
  readonly conditions: readonly ConditionResult[];
  /** Of every two conditions. */
  readonly comparisons: readonly Comparison[];
}

/**
 * What a trial came to: accuracy with its interval, calibration, tokens, time and cost of each condition, and paired tests of every two.
 *
 * @throws InputError for no records, and where a variant lacks questions of another
 * @example
 * const { conditions, comparisons } = trialReport(records, { seed: 1 });
 */
export function trialReport(
  records: readonly TrialRecord[],
  { seconds, price, ...bootstrap }: TrialReportOptions = {},
): TrialReport {
  if (records.length === 0) throw new InputError('there are no records; expected at least one');
  const groups = groupsOf(records, ({ condition }) => condition);
  const questions = questionsOf(records);
  const tables = [...groups].map(([condition, own]) => {
    const variants = groupsOf(own, ({ seed, order }) => `${seed}:${order}`);
    const scores = [...variants.values()].map((variant) => scoresOf(variant, questions, condition));
    // The orders of a draw are one draw: their mean.
    const draws = groupsOf(
      [...variants.values()].map((all, n) => ({ seed: all[0]!.seed, n })),
      (one) => String(one.seed),
    );
    const outcomes = [...draws.values()].map((orders) =>
      questions.map((_, q) => meanOf(orders.map(({ n }) => scores[n]![q]!))),
    );
    return { condition, own, scores, outcomes };
  });
  const means = resampledMeans(
    tables.map(({ outcomes }) => outcomes),
    bootstrap,
  );
  const conditions = tables.map(({ condition, own, scores, outcomes }, n): ConditionResult => {
    const { mean, low, high } = estimateOf(outcomes, means[n]!, bootstrap);
    const { prompt, shots, chain } = own[0]!;
    const promptTokens = sumOf(own.map((record) => record.promptTokens));
    const answerTokens = sumOf(own.map((record) => record.answerTokens));
    const rated = own.filter(
      (one): one is TrialRecord & RatedAnswer => one.confidence !== undefined,
    );
    const took = seconds?.get(condition);
    return {
      ...{ condition, prompt, shots, chain, variants: scores.length, questions: questions.length },
      ...{ accuracy: mean, low, high, each: scores.map(meanOf) },
      unanswered: meanOf(own.map(({ answer }) => Number(answer === undefined))),
      ...(rated.length < own.length
        ? {}
        : { calibration: { error: calibrationError(rated), bins: calibrationBins(rated) } }),
      ...{ promptTokens, answerTokens },
      ...(took === undefined ? {} : { seconds: took }),
      ...(price ? { cost: promptTokens * price.read + answerTokens * price.written } : {}),
    };
  });
  const compared = tables.flatMap((first, i) =>
    tables.slice(i + 1).map((second, j) => ({
      ...{ first: first.condition, second: second.condition },
      ...differenceOf([first.outcomes, means[i]!], [second.outcomes, means[i + 1 + j]!], bootstrap),
      ...(first.scores.length === 1 && second.scores.length === 1
        ? { mcnemar: mcnemarOf(first.scores[0]!, second.scores[0]!) }
        : {}),
    })),
  );
  const adjusted = holmAdjusted(compared.map(({ mcnemar, p }) => mcnemar?.p ?? p));
  return {
    level: 1 - (bootstrap.alpha ?? 0.05),
    conditions,
    comparisons: compared.map((one, n) => ({ ...one, adjusted: adjusted[n]! })),
  };
}

function mcnemarOf(first: readonly number[], second: readonly number[]) {
  const only = (a: readonly number[], b: readonly number[]) =>
    a.filter((right, q) => right > b[q]!).length;
  const [onlyFirst, onlySecond] = [only(first, second), only(second, first)];
  return { onlyFirst, onlySecond, p: mcnemarTest(onlyFirst, onlySecond) };
}

/** The ids of the questions, in the order of the first variant. */
function questionsOf(records: readonly TrialRecord[]): string[] {
  return [...new Set(records.map(({ example }) => example))];
}

function scoresOf(
  variant: readonly TrialRecord[],
  questions: readonly string[],
  condition: string,
): number[] {
  const scores = new Map(variant.map(({ example, correct }) => [example, Number(correct)]));
  return questions.map((id) => {
    const score = scores.get(id);
    if (score !== undefined) return score;
    throw new InputError(
      `${condition}: the question ${id} has no answer with the seed ${variant[0]!.seed} and the order ${variant[0]!.order}; expected all ${questions.length} questions`,
    );
  });
}

function groupsOf<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group) group.push(one);
    else groups.set(keyOf(one), [one]);
  }
  return groups;
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const meanOf = (values: readonly number[]): number => sumOf(values) / values.length;
