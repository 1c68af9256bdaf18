import { InputError } from '@headwise/core';
import type { PromptModel } from '../../prompt-model.js';
import { type TrialLeak, trialLeaks } from '../leaks.js';
import { planTrial, type TrialExample } from '../plan.js';
import type { TrialRecord } from '../record.js';
import { type TrialReport, type TrialReportOptions, trialReport } from '../report.js';
import type { TrialPrompt } from '../trial-prompt.js';
import { askAll, type PromptCandidate, withInstruction } from './candidate.js';
import { type PromptSearch, type SearchOptions, searchPrompt } from './search.js';

/** Options of `optimizePrompt`. */
export interface OptimizeOptions extends SearchOptions {
  /** Questions that the search never sees: what it found is asked them once, at the end. */
  readonly heldOut: readonly TrialExample[];
  /** Of the report. */
  readonly report?: Omit<TrialReportOptions, 'seconds'> | undefined;
}

/** What a search found, and what it is worth. */
export interface OptimizedPrompt {
  readonly search: PromptSearch;
  /** The best candidate, under the prompt's own name. */
  readonly prompt: TrialPrompt;
  readonly shown: PromptCandidate['shown'];
  /** The prompt as it was given, and the best candidate as `NAME, optimized`, on the held-out questions; one condition where they are the same. */
  readonly report: TrialReport;
  /** The answers that the report is made of. */
  readonly records: readonly TrialRecord[];
  /** Held-out questions that nearly repeat one of the search: the report says less of them. */
  readonly leaks: readonly TrialLeak[];
}

/**
 * Searches a better prompt, and measures it on questions that the search did not see.
 *
 * @throws InputError as `searchPrompt`; for no held-out questions, and for an example that is in two parts
 * @example
 * const { prompt, report } = await optimizePrompt(model, prompt, { pool, validation, heldOut, budget: 200, shots: [0, 4] });
 */
export async function optimizePrompt(
  model: PromptModel,
  prompt: TrialPrompt,
  { heldOut, report: reported, ...options }: OptimizeOptions,
): Promise<OptimizedPrompt> {
  const { pool, validation } = options;
  if (heldOut.length === 0) {
    throw new InputError('there are no held-out examples; expected at least one');
  }
  // Everything that is wrong with examples is found before the first is asked.
  planTrial({
    prompts: [prompt],
    examples: [...validation, ...heldOut].map(bare),
    pool: pool.map(bare),
  });
  const search = await searchPrompt(model, prompt, options);
  const { candidates, best } = search;
  const [given, found] = [candidates[0]!, candidates[best]!];
  const { chain = false, generation, batch, seed, signal } = options;
  const records: TrialRecord[] = [];
  for (const [candidate, name] of [
    [given, prompt.name],
    ...(best === 0 ? [] : [[found, `${prompt.name}, optimized`] as const]),
  ] as const) {
    const named = withInstruction(prompt, candidate.prompt.definition.instruction, name);
    records.push(
      ...(await askAll(
        model,
        { prompt: named, shown: candidate.shown },
        { examples: heldOut.map(bare), chain: [chain], generation, batch, seed, signal },
      )),
    );
  }
  return {
    search,
    prompt: withInstruction(prompt, found.prompt.definition.instruction),
    shown: found.shown,
    report: trialReport(records, reported),
    records,
    leaks: trialLeaks(heldOut, [...pool, ...validation], { prompt }),
  };
}

const bare = ({ id, values }: TrialExample): TrialExample => ({ id, values });
