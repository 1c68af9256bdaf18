import { InputError } from '@headwise/core';
import type { Prompt, TextOptions } from '@headwise/text';
import { fitPrompt, type PromptCut } from '../fit.js';
import type { PromptModel } from '../prompt-model.js';
import { type ExampleName, type PromptTemplate, placeOf } from '../template.js';
import { answerTokens } from './answer-tokens.js';
import type { Extractor } from './extract.js';

/** A prompt that a step gave to the model, and what came. */
export interface StepRecord {
  /** The prompt's name. */
  readonly name: string;
  readonly prompt: Prompt;
  /** What a budget left out of the prompt. */
  readonly cuts: readonly PromptCut[];
  readonly answer: string;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

/** What a step works with. */
export interface StepRun extends ExampleName {
  readonly model: PromptModel;
  /** Of generation, for every step. */
  readonly options: TextOptions;
  /** Takes each prompt with its answer. */
  readonly record: (entry: StepRecord) => void;
}

/** Asks a model, with some values, and gives the values that come of it. */
export type Step<Needs, Adds> = (values: Needs, run: StepRun) => Promise<Adds>;

/** Options of `writeSlot`, and of generation. */
export interface WriteSlotOptions<T> extends TextOptions {
  /** Finds the value in what the model wrote. Default its text, without white space around it. */
  extract?: Extractor<T> | undefined;
  /** The most tokens of the prompt. Default the context without `maxNewTokens`, or what the model writes without it. */
  budget?: number | undefined;
}

/**
 * A step that writes a prompt with the values so far, and adds what the model answers as another value: reasoning, an answer, or context
 * that later prompts have a slot for.
 *
 * @throws InputError, when run, naming prompt and example: as `fitPrompt` does, for a value of that name that is there already, and for an answer
 * in which `extract` finds nothing
 * @see Liu et al. 2022, Generated Knowledge Prompting, https://arxiv.org/abs/2110.08387
 * @example
 * const withContext = pipe(writeSlot(facts, 'context', { stop: '\n\n' }), writeSlot(ask, 'answer', { stop: '\n' }));
 */
export function writeSlot<Values extends object, const Name extends string, T = string>(
  template: PromptTemplate<Values>,
  name: Name,
  { extract, budget, ...own }: WriteSlotOptions<T> = {},
): Step<Values, { readonly [N in Name]: T }> {
  return async (values, run) => {
    const where = placeOf(template.name, run.example);
    if (name in values) {
      throw new InputError(`${where}: writes '${name}', which has a value already; expected none`);
    }
    const asked = Object.fromEntries(
      Object.entries(values).filter(([slot]) => Object.hasOwn(template.slots, slot)),
    ) as unknown as Values;
    const options = { ...run.options, ...own };
    const answer = answerTokens(run.model, options);
    const text = await ask(template, asked, { ...run, options, budget, answer });
    const extracted = extract ? extract(text) : { value: text.trim() as T };
    if ('problem' in extracted) throw new InputError(`${where}: ${extracted.problem}`);
    return { [name]: extracted.value } as { readonly [N in Name]: T };
  };
}

/** Writes a prompt within its budget, asks the model, and records both. */
export async function ask<Values>(
  template: PromptTemplate<Values>,
  values: Values,
  {
    model,
    options,
    record,
    example,
    budget,
    answer,
  }: StepRun & { budget?: number | undefined; answer?: number | undefined },
): Promise<string> {
  // A model without a limit may be one whose tokens cannot be counted here.
  const { prompt, cuts } =
    budget === undefined && model.contextLength === Number.POSITIVE_INFINITY
      ? { prompt: template.write(values, { example }), cuts: [] }
      : fitPrompt(template, values, model, { budget, answer, example });
  const [written] = await model.write([prompt], options);
  const { text, tokens, promptTokens } = written!;
  record({
    name: template.name,
    prompt,
    cuts,
    answer: text,
    promptTokens,
    answerTokens: tokens,
  });
  return text;
}

/** Two steps one after the other: the second has the values that the first adds. */
export type Piped<First, Second> =
  First extends Step<infer NeedsA, infer AddsA>
    ? Second extends Step<infer NeedsB, infer AddsB>
      ? Step<NeedsA & Omit<NeedsB, keyof AddsA>, AddsA & AddsB>
      : never
    : never;

/**
 * Steps one after the other, as one step; each has the values that those before it add.
 *
 * @example
 * const step = pipe(writeSlot(facts, 'context'), writeSlot(ask, 'answer'));
 */
export function pipe<NeedsA, AddsA, NeedsB, AddsB>(
  first: Step<NeedsA, AddsA>,
  second: Step<NeedsB, AddsB>,
): Piped<Step<NeedsA, AddsA>, Step<NeedsB, AddsB>>;
export function pipe<NeedsA, AddsA, NeedsB, AddsB, NeedsC, AddsC>(
  first: Step<NeedsA, AddsA>,
  second: Step<NeedsB, AddsB>,
  third: Step<NeedsC, AddsC>,
): Piped<Piped<Step<NeedsA, AddsA>, Step<NeedsB, AddsB>>, Step<NeedsC, AddsC>>;
export function pipe(...steps: Step<never, object>[]): Step<object, object> {
  return async (values, run) => {
    let added = {};
    for (const step of steps) {
      added = { ...added, ...(await step({ ...values, ...added } as never, run)) };
    }
    return added;
  };
}

/** What a step made, and every prompt and answer on the way. */
export interface StepResult<Values> {
  /** Those that were given and those that were added. */
  readonly values: Values;
  readonly records: readonly StepRecord[];
}

/**
 * Runs a step, or several in a `pipe`, on some values.
 *
 * @param options of generation, for every step; those of a step win
 * @example
 * const { values, records } = await runStep(withContext, { question: 'Who hunts the whale?' }, model, { temperature: 0 });
 */
export async function runStep<Needs, Given extends Needs, Adds>(
  step: Step<Needs, Adds>,
  values: Given,
  model: PromptModel,
  { example, ...options }: TextOptions & ExampleName = {},
): Promise<StepResult<Given & Adds>> {
  const records: StepRecord[] = [];
  const record = (entry: StepRecord) => void records.push(entry);
  const added = await step(values, { model, options, record, example });
  return { values: { ...values, ...added }, records };
}
