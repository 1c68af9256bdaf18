import { HeadwiseError, InputError } from '@headwise/core';
import { hashText } from '@headwise/core/internal';
import type { Prompt, TextOptions } from '@headwise/text';
import { thoughtPrompts } from '../answers/chain-of-thought.js';
import { fitPrompt, type PromptCut } from '../fit.js';
import { calibrated } from '../options/calibration.js';
import { chooseOptions, type OptionChoice, type OptionQuestion } from '../options/options.js';
import type { PromptModel, WrittenText } from '../prompt-model.js';
import { type PromptTemplate, type PromptValues, placeOf } from '../template.js';
import { type TrialExample, type TrialPlan, type TrialVariant, valuesFor } from './plan.js';
import type { TrialCall, TrialRecord } from './record.js';
import type { TrialPrompt } from './trial-prompt.js';

/** A question that is asked, behind its examples. */
export interface AskedQuestion {
  readonly example: TrialExample;
  readonly shown: readonly TrialExample[];
}

interface Asking {
  readonly model: PromptModel;
  readonly variant: TrialVariant;
  readonly plan: Pick<TrialPlan, 'generation'>;
  readonly signal: AbortSignal | undefined;
}

/** What a question came to so far. */
interface Work extends AskedQuestion {
  readonly place: string;
  readonly values: PromptValues;
  template: PromptTemplate<PromptValues>;
  readonly calls: TrialCall[];
  promptTokens: number;
  answerTokens: number;
}

/**
 * Answers some questions of a variant together.
 *
 * @throws InputError naming prompt and example, as `fitPrompt` and `chooseOptions`; an error of the model with the questions that it was asked
 */
export async function answerTogether(
  asked: readonly AskedQuestion[],
  asking: Asking,
): Promise<TrialRecord[]> {
  const { prompt, chain } = asking.variant;
  const work = asked.map((question) => begun(question, prompt));
  if (chain) await reason(work, asking);
  if (prompt.by === 'score') return choose(work, asking);
  const { maxNewTokens = 32, stop = defaultStop(prompt, chain) } = prompt.definition;
  const texts = await write(work, { maxNewTokens, stop }, asking);
  return work.map((one, n) => {
    const found = prompt.extract(texts[n]!);
    return recordOf(one, asking.variant, 'value' in found ? { answer: found.value } : found);
  });
}

function begun({ example, shown }: AskedQuestion, prompt: TrialPrompt): Work {
  const place = placeOf(prompt.name, example.id);
  const template = prompt.task.withExamples(
    shown.map((one) => {
      const { question, answer } = valuesFor(prompt, one);
      return { ...question, ...answer };
    }),
  ) as PromptTemplate<PromptValues>;
  const values = valuesFor(prompt, example).question;
  return {
    ...{ example, shown, place, values, template },
    calls: [],
    promptTokens: 0,
    answerTokens: 0,
  };
}

/** The first prompt of a chain of thought; the second takes the place of the question. */
async function reason(work: readonly Work[], asking: Asking): Promise<void> {
  const { reason: ask, conclude, reasoningTokens = 256 } = asking.variant.prompt.definition;
  const both = work.map(({ template }) => thoughtPrompts(template, { reason: ask, conclude }));
  for (const [n, one] of work.entries()) one.template = both[n]!.asked;
  const texts = await write(work, { maxNewTokens: reasoningTokens }, asking);
  for (const [n, one] of work.entries()) {
    const reasoning = texts[n]!.trim();
    one.template = both[n]!.concluded.with({ reasoning }) as PromptTemplate<PromptValues>;
  }
}

/** Asks the model for a text after each prompt, and keeps both. */
async function write(
  work: readonly Work[],
  options: TextOptions,
  { model, variant, plan, signal }: Asking,
): Promise<string[]> {
  const fitted = work.map((one) => fit(one, model, options.maxNewTokens!));
  const each = work.map(({ example }) => ({
    ...plan.generation,
    ...options,
    // A question's seed does not depend on those beside it.
    seed: hashText(JSON.stringify([variant.seed, variant.order, example.id])),
    signal,
  }));
  const texts = await named(work, () =>
    model.write(
      fitted.map(({ prompt }) => prompt),
      each,
    ),
  );
  return texts.map((written: WrittenText, n) => {
    const one = work[n]!;
    const { prompt, cuts } = fitted[n]!;
    one.calls.push({ prompt, ...(cuts.length > 0 ? { cuts } : {}), answer: written.text });
    one.promptTokens += written.promptTokens;
    one.answerTokens += written.tokens;
    return written.text;
  });
}

/** Takes the likeliest label after each prompt. */
async function choose(
  work: readonly Work[],
  { model, variant, signal }: Asking,
): Promise<TrialRecord[]> {
  const { prompt, chain } = variant;
  const { normalization, contentFree = [], as } = prompt.definition;
  // A label stands behind the words that conclude, or where the answer has it.
  const before = chain ? ' ' : prompt.lead;
  const lead = as === 'messages' ? before.trimStart() : before;
  const fitted = work.map((one) => fit(one, model, 0));
  const questionOf = (written: Prompt, { place }: Work): OptionQuestion => ({
    ...{ prompt: written, options: prompt.options!, place },
  });
  const questions = work.map((one, n) => questionOf(fitted[n]!.prompt, one));
  // Examples before a question are mostly those before the next, and so is the prompt without content.
  const places = new Map<string, number>();
  const empty = work.map((one) =>
    contentFree.map((given) => {
      const { id } = one.example;
      const written = one.template.write({ ...one.values, ...given }, { example: id });
      const key = JSON.stringify(written);
      if (!places.has(key)) {
        places.set(key, questions.length);
        questions.push(questionOf(written, one));
      }
      return places.get(key)!;
    }),
  );
  const end = chain ? '' : prompt.end;
  const choices = await named(work, () =>
    chooseOptions(model, questions, { normalization, lead, end, signal }),
  );
  const counted = new Set<number>();
  return work.map((one, n) => {
    const choice = choices[n]!;
    const own = choice.probabilities;
    const biases = empty[n]!.map((place) => choices[place]!.probabilities);
    const probabilities = biases.length > 0 ? calibrated(own, biases) : own;
    const { prompt: written, cuts } = fitted[n]!;
    const scores = choice.scores.map(({ option, logProbability }, i) => ({
      ...{ label: option, logProbability, probability: probabilities[i]! },
    }));
    one.calls.push({ prompt: written, ...(cuts.length > 0 ? { cuts } : {}), scores });
    for (const place of [n, ...empty[n]!]) {
      if (!counted.has(place)) countTokens(one, choices[place]!);
      counted.add(place);
    }
    const confidence = Math.max(...probabilities);
    const answer = prompt.options![probabilities.indexOf(confidence)];
    return recordOf(one, variant, { answer, confidence });
  });
}

function countTokens(work: Work, { scores }: OptionChoice): void {
  for (const { promptTokens, tokens } of scores) {
    work.promptTokens += promptTokens;
    work.answerTokens += tokens.length;
  }
}

function recordOf(
  { example, shown, calls, promptTokens, answerTokens }: Work,
  { condition, prompt, shots, chain, seed, order }: TrialVariant,
  given: Pick<TrialRecord, 'answer' | 'problem' | 'confidence'>,
): TrialRecord {
  const expected = String(example.values[prompt.label]);
  return {
    ...{ condition, prompt: prompt.name, shots, chain, seed, order },
    example: example.id,
    shown: shown.map(({ id }) => id),
    calls,
    ...given,
    ...{ expected, correct: given.answer === expected, promptTokens, answerTokens },
  };
}

function fit(
  { template, values, example }: Work,
  model: PromptModel,
  answer: number,
): { prompt: Prompt; cuts: readonly PromptCut[] } {
  // A model without a limit may be one whose tokens cannot be counted here.
  if (model.contextLength === Number.POSITIVE_INFINITY) {
    return { prompt: template.write(values, { example: example.id }), cuts: [] };
  }
  return fitPrompt(template, values, model, { answer, example: example.id });
}

/** An error of the model with the questions that it was asked; one of the input names its own already. */
async function named<T>(work: readonly Work[], ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof InputError || !(error instanceof HeadwiseError)) throw error;
    const [first, last] = [work[0]!.place, work.at(-1)!.example.id];
    error.message = `${first}${work.length > 1 ? ` to ${last}` : ''}: ${error.message}`;
    throw error;
  }
}

const defaultStop = ({ lead }: TrialPrompt, chain: boolean): string | undefined =>
  chain || lead.includes('\n') ? undefined : '\n';
