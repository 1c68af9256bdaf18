import { InputError } from '@headwise/core';
import type { TextOptions } from '@headwise/text';
import { checkCount } from '../check-count.js';
import { type PromptTemplate, placeOf } from '../template.js';
import { answerTokens } from './answer-tokens.js';
import { ask, type Step } from './steps.js';

/** Options of `leastToMost`, and of generation for each prompt. */
export interface LeastToMostOptions extends TextOptions {
  /** Asks for the sub-questions of a question, easier ones first, one a line. */
  decompose: PromptTemplate<{ readonly question: string }>;
  /** Asks one sub-question; `solved` is the list of those before it with their answers. */
  solve: PromptTemplate<{ readonly question: string; readonly solved: readonly string[] }>;
  /** The sub-questions in an answer to `decompose`. Default its lines, without numbers and bullets before them. */
  parts?: ((answer: string) => readonly string[]) | undefined;
  /** An answered sub-question as `solved` shows it. Default `Q: …\nA: …`. */
  show?: ((part: AnsweredPart) => string) | undefined;
  /** The most sub-questions; an answer with more is refused. Default 8. */
  most?: number | undefined;
}

/** A sub-question with its answer. */
export interface AnsweredPart {
  readonly question: string;
  readonly answer: string;
}

/** What least-to-most prompting adds to the values. */
export interface LeastToMost {
  /** In the order in which they were answered; the last is the question itself. */
  readonly parts: readonly AnsweredPart[];
  readonly answer: string;
}

/**
 * A step that asks the model for sub-questions, then answers each with the earlier answers in its prompt, and the question itself last.
 *
 * @throws InputError for `most` below 1; when run, naming prompt and example: for more parts than `most`, and as `fitPrompt` does
 * @see Zhou et al. 2022, https://arxiv.org/abs/2205.10625
 * @example
 * const { values } = await runStep(leastToMost({ decompose, solve, stop: '\n\n' }), { question }, model);
 */
export function leastToMost({
  decompose,
  solve,
  parts: partsOf = linesOf,
  show = ({ question, answer }) => `Q: ${question}\nA: ${answer}`,
  most = 8,
  ...own
}: LeastToMostOptions): Step<{ readonly question: string }, LeastToMost> {
  checkCount('most', most, 1);
  return async ({ question }, run) => {
    const options = { ...run.options, ...own };
    const asking = { ...run, options, answer: answerTokens(run.model, options) };
    const found = partsOf(await ask(decompose, { question }, asking));
    if (found.length > most) {
      throw new InputError(
        `${placeOf(decompose.name, run.example)}: the answer takes the question apart into ${found.length} parts; expected at most ${most}`,
      );
    }
    const questions = [...found.filter((part) => part !== question), question];
    const parts: AnsweredPart[] = [];
    for (const part of questions) {
      const text = await ask(solve, { question: part, solved: parts.map(show) }, asking);
      parts.push({ question: part, answer: text.trim() });
    }
    return { parts, answer: parts.at(-1)!.answer };
  };
}

/** The lines of a list, without `1.`, `2)`, `-` and `*` before them. */
const linesOf = (answer: string): string[] =>
  answer
    .split('\n')
    .map((line) => line.replace(/^\s*(?:\d+[.)]|[-*•])\s+/, '').trim())
    .filter((line) => line !== '');
