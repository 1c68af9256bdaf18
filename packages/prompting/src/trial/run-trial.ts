import { InputError } from '@headwise/core';
import type { PromptModel, WorkOptions } from '../prompt-model.js';
import { answerTogether } from './answer.js';
import { examplesShown, type TrialPlan, type TrialVariant } from './plan.js';
import type { TrialRecord } from './record.js';

/** Questions of one variant that were answered together. */
export interface TrialPart {
  readonly variant: TrialVariant;
  readonly records: readonly TrialRecord[];
  /** How long their answers took. */
  readonly seconds: number;
}

/** How a trial is run. */
export interface RunTrialOptions extends WorkOptions {
  /** Records that were made before, from the first on: a number that `wholeParts` gives. Default 0. */
  readonly done?: number | undefined;
}

/**
 * Asks all questions in every variant, some together.
 *
 * Records depend on plan and model alone: the same plan, model and backend give the same ones, also where a run that was interrupted goes on.
 *
 * @throws InputError and errors of the model, naming prompt and example
 * @example
 * const plan = planTrial({ prompts: [prompt], examples, pool, shots: [0, 4], seeds: 3 });
 * const records = [];
 * for await (const part of runTrial(model, plan)) records.push(...part.records);
 */
export async function* runTrial(
  model: PromptModel,
  plan: TrialPlan,
  { done = 0, signal }: RunTrialOptions = {},
): AsyncGenerator<TrialPart, void, undefined> {
  if (wholeParts(plan, done) !== done) {
    throw new InputError(
      `done is ${done}; expected a number of records at the end of a part, such as ${wholeParts(plan, done)}`,
    );
  }
  const shownBefore = examplesShown(plan);
  for (const { variant, from, to } of partsOf(plan)) {
    if (variant * plan.examples.length + to <= done) continue;
    signal?.throwIfAborted();
    const own = plan.variants[variant]!;
    const asked = await Promise.all(
      plan.examples.slice(from, to).map(async (example) => ({
        ...{ example, shown: await shownBefore(own, example) },
      })),
    );
    const begun = performance.now();
    const records = await answerTogether(asked, { model, variant: own, plan, signal });
    yield { variant: own, records, seconds: (performance.now() - begun) / 1000 };
  }
}

/** How many of a number of records belong to parts that are whole: a run that was interrupted goes on behind them. */
export function wholeParts(plan: TrialPlan, records: number): number {
  let whole = 0;
  for (const { variant, to } of partsOf(plan)) {
    const end = variant * plan.examples.length + to;
    if (end <= records) whole = end;
  }
  return whole;
}

function* partsOf({ variants, examples, batch }: TrialPlan) {
  for (const variant of variants.keys()) {
    for (let from = 0; from < examples.length; from += batch) {
      yield { variant, from, to: Math.min(examples.length, from + batch) };
    }
  }
}
