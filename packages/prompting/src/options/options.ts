import { checkOneOf, InputError } from '@headwise/core';
import type { Prompt } from '@headwise/text';
import type { ContinuationScore, PromptModel, WorkOptions } from '../prompt-model.js';
import { calibrated } from './calibration.js';
import {
  type Normalization,
  normalizations,
  type OptionScore,
  optionProbabilities,
} from './normalization.js';
import { sharedLength } from './shared-length.js';

/** A prompt, and the possible answers to it. */
export interface OptionQuestion {
  readonly prompt: Prompt;
  /** At least two, each another text with other tokens. */
  readonly options: readonly string[];
  /** The prompt and its example in errors. Default `the prompt`. */
  readonly place?: string | undefined;
}

/** Options of `scoreOptions`. */
export interface ScoreOptionsOptions extends WorkOptions {
  /** Stands between a prompt and each option. Default a space after a text that ends in none, else nothing. */
  lead?: string | undefined;
  /** Stands behind each option and is scored with it, such as a line end. Default nothing. */
  end?: string | undefined;
}

/** How one of several options is chosen. */
export interface ChooseOptions extends ScoreOptionsOptions {
  /** What makes scores of options of other lengths comparable. Default `'sum'`, the probability itself. */
  normalization?: Normalization | undefined;
  /**
   * The same prompt about inputs without content, such as `'N/A'`, for each question or for all: what the model prefers without a
   * reason is divided out (contextual calibration). Default none.
   */
  contentFree?: ((question: OptionQuestion) => readonly Prompt[]) | undefined;
}

/** The option that a model finds most likely. */
export interface OptionChoice {
  readonly option: string;
  /** Its index. */
  readonly index: number;
  /** Of each option among them all, calibrated where that was asked for; their sum is 1. */
  readonly probabilities: readonly number[];
  /** Of each option as the model gives it. */
  readonly scores: readonly OptionScore[];
}

/**
 * The log-probability of each option after its prompt; scores are those of lm-evaluation-harness.
 *
 * @throws InputError naming the place, for fewer than two options, empty or equal ones, and ones of the same tokens
 * @example
 * const [scores] = await scoreOptions(model, [{ prompt: 'Review: …\nSentiment:', options: ['Positive', 'Negative'] }]);
 */
export async function scoreOptions(
  model: PromptModel,
  questions: readonly OptionQuestion[],
  { lead, end = '', signal }: ScoreOptionsOptions = {},
): Promise<OptionScore[][]> {
  for (const question of questions) checkTexts(question);
  const requests = questions.map(({ prompt, options, place }) => ({
    prompt,
    continuations: options.map((option) => (lead ?? leadOf(prompt)) + option + end),
    place,
  }));
  const scores = await model.score(requests, { signal });
  return questions.map((question, n) => {
    checkTokens(question, scores[n]!);
    return question.options.map((option, i) => ({ option, ...scores[n]![i]! }));
  });
}

/**
 * Answers each question by the option that the model finds most likely; of equal ones the first.
 *
 * @throws InputError as `scoreOptions` does; for `'sum'`, where the tokens of one option begin those of another, whose sum is then never greater
 * @example
 * const [{ option, probabilities }] = await chooseOptions(model, questions, { normalization: 'bytes' });
 */
export async function chooseOptions(
  model: PromptModel,
  questions: readonly OptionQuestion[],
  { normalization = 'sum', contentFree, ...options }: ChooseOptions = {},
): Promise<OptionChoice[]> {
  checkOneOf('normalization', normalization, normalizations);
  const empty = questions.map((question) =>
    (contentFree?.(question) ?? []).map((prompt) => ({ ...question, prompt })),
  );
  const all = await scoreOptions(model, [...questions, ...empty.flat()], options);
  const rest = all.slice(questions.length).values();
  return questions.map((question, n) => {
    const scores = all[n]!;
    if (normalization === 'sum') checkPrefixes(question, scores);
    const probabilitiesOf = (given: readonly OptionScore[]) =>
      optionProbabilities(given, normalization);
    const biases = empty[n]!.map(() => probabilitiesOf(rest.next().value!));
    const own = probabilitiesOf(scores);
    const probabilities = biases.length > 0 ? calibrated(own, biases) : own;
    const index = probabilities.indexOf(Math.max(...probabilities));
    return { option: question.options[index]!, index, probabilities, scores };
  });
}

const leadOf = (prompt: Prompt): string =>
  typeof prompt === 'string' && !/\s$/.test(prompt) ? ' ' : '';

function checkTexts({ options, place = 'the prompt' }: OptionQuestion): void {
  if (options.length < 2) {
    throw new InputError(`${place}: has ${options.length} options; expected at least two`);
  }
  for (const [n, option] of options.entries()) {
    if (option === '') throw new InputError(`${place}: option ${n} is empty; expected a text`);
    if (options.indexOf(option) < n) {
      throw new InputError(`${place}: option '${option}' is given twice; expected each once`);
    }
  }
}

function checkTokens(
  { options, place = 'the prompt' }: OptionQuestion,
  scores: readonly ContinuationScore[],
): void {
  const seen = new Map<string, string>();
  for (const [n, { tokens }] of scores.entries()) {
    const key = JSON.stringify(tokens);
    const other = seen.get(key);
    if (other !== undefined) {
      throw new InputError(
        `${place}: options '${other}' and '${options[n]}' have the same tokens ${key}; expected options that the tokenizer tells apart`,
      );
    }
    seen.set(key, options[n]!);
  }
}

function checkPrefixes(
  { options, place = 'the prompt' }: OptionQuestion,
  scores: readonly ContinuationScore[],
): void {
  for (const [i, { tokens: short }] of scores.entries()) {
    for (const [j, { tokens: long }] of scores.entries()) {
      if (i === j || short.length >= long.length || sharedLength(short, long) < short.length)
        continue;
      throw new InputError(
        `${place}: the tokens of option '${options[i]}' begin those of '${options[j]}', whose sum is never greater; give an end, such as a line end, or another normalization`,
      );
    }
  }
}
