import { firstExamples } from '../../choose/example-chooser.js';
import type { PromptModel } from '../../prompt-model.js';
import { planTrial, type TrialExample, type TrialOptions } from '../plan.js';
import type { TrialRecord } from '../record.js';
import { runTrial } from '../run-trial.js';
import { defineTrialPrompt, type TrialPrompt } from '../trial-prompt.js';

/** A prompt that a search has tried: an instruction and the examples that it shows. */
export interface PromptCandidate {
  readonly prompt: TrialPrompt;
  /** In the order in which they are shown. */
  readonly shown: readonly TrialExample[];
  /** Where it comes from: the prompt that was given, a random draw, or the reflection on another candidate, by its number. */
  readonly origin: 'given' | 'random' | { readonly reflectionOn: number };
  /** Whether each question of the validation part was answered right. */
  readonly right: readonly boolean[];
}

/** The share of the validation part that a candidate answers right. */
export const accuracyOf = ({ right }: PromptCandidate): number =>
  right.filter(Boolean).length / right.length;

/** The same prompt with another instruction and name. */
export function withInstruction(
  { definition, extract }: TrialPrompt,
  instruction: string | undefined,
  name: string = definition.name,
): TrialPrompt {
  return defineTrialPrompt({ ...definition, name, instruction }, { extract });
}

/** Asks some questions with a prompt that shows fixed examples. */
export async function askAll(
  model: PromptModel,
  { prompt, shown }: Pick<PromptCandidate, 'prompt' | 'shown'>,
  {
    examples,
    signal,
    ...options
  }: Pick<TrialOptions, 'examples' | 'chain' | 'generation' | 'batch' | 'seed'> & {
    signal?: AbortSignal | undefined;
  },
): Promise<TrialRecord[]> {
  const plan = planTrial({
    ...options,
    ...{ prompts: [prompt], examples, shots: [shown.length] },
    // The examples of a search are the same for all questions.
    pool: shown.map(({ id, values }) => ({ id, values })),
    choose: (pool) => firstExamples(pool),
  });
  const records: TrialRecord[] = [];
  for await (const part of runTrial(model, plan, { signal })) records.push(...part.records);
  return records;
}
