import type { Extracted, Extractor } from '../answers/extract.js';
import { checkCount } from '../check-count.js';
import type { PromptModel } from '../prompt-model.js';
import { answersTo } from './answers-to.js';
import { answeredExample, type Query } from './make-form.js';
import { type MakePrompts, makePrompts } from './make-prompts.js';
import { type MakeRun, provenanceJson } from './make-run.js';
import type { Making, PastEntry, Recipe } from './recipe.js';
import { evolutions } from './wordings.js';

/** How an instruction is evolved. */
export type Evolution = keyof typeof evolutions;

/** Options of `evolvedInstructions`. */
export interface EvolveOptions {
  /** Default those of `makePrompts('messages')`. */
  readonly prompts?: Pick<MakePrompts, 'task' | 'evolve' | 'invent' | 'same'> | undefined;
  /** How often each instruction is evolved. Default 4. */
  readonly rounds?: number | undefined;
  /** What is drawn from. Default all. */
  readonly evolutions?: readonly Evolution[] | undefined;
  /** The model that compares an instruction with what it became. Default the one that writes. */
  readonly judge?: PromptModel | undefined;
}

/** The verdict of an answer in the form of our prompt. */
export const sameForm: Extractor<'same' | 'different'> = (
  answer,
): Extracted<'same' | 'different'> => {
  const match = [...answer.matchAll(/verdict\W*(same|different)\b|^\W*(same|different)\W*$/gi)].at(
    -1,
  );
  const word = (match?.[1] ?? match?.[2])?.toLowerCase();
  if (word === 'same' || word === 'different') return { value: word };
  return { problem: "the answer has no 'Verdict: same' or 'Verdict: different'" };
};

/** What an evolved instruction has of the prompt that asked for it. */
const copied = /new instruction|instruction of a user|rewritten prompt|given prompt|#\w/i;

/**
 * Instructions that become harder from round to round, each with an answer: Evol-Instruct.
 *
 * An evolution fails where the model finds that it asks for the same as before, or where it repeats words of its own prompt; the next round
 * then begins from what was there before. Refusals are for filters.
 *
 * @throws InputError for options out of range
 * @see Xu et al. 2023, WizardLM, https://arxiv.org/abs/2304.12244
 * @example
 * makeExamples(evolvedInstructions([{ place: '1', instruction: 'Who hunts the whale?' }]), { model });
 */
export function evolvedInstructions(
  instructions: readonly Query[],
  {
    prompts = makePrompts('messages'),
    rounds = 4,
    evolutions: names = Object.keys(evolutions) as Evolution[],
    judge,
  }: EvolveOptions = {},
): Recipe<Query> {
  checkCount('rounds', rounds, 1);
  checkCount('evolutions.length', names.length, 1);
  const { task, evolve, invent, same } = prompts;
  const evolved = (from: string, name: Evolution, run: MakeRun) => {
    if (name === 'invent') return run.ask(invent, { instruction: from });
    return run.ask(evolve, { instruction: from, method: evolutions[name] });
  };
  return {
    name: 'evolve',
    prompts: { evolve, invent, same, question: task.question, answer: task.answer },
    settings: {
      ...{ rounds, evolutions: names },
      ...{ judge: judge?.name ?? null, judgeRevision: judge?.revision ?? null },
    },
    items: (round, past) => {
      if (round >= rounds) return [];
      const last = lastOf(past);
      return instructions.map(({ place, instruction }) => ({
        place,
        instruction: last.get(place) ?? instruction,
      }));
    },
    make: async (query, run): Promise<Making> => {
      const { place, instruction: from } = query;
      const name = names[run.seedOf('evolution') % names.length]!;
      const { value: instruction, made } = await evolved(from, name, run);
      const failed = (reason: string): Making => ({
        rows: [],
        leftOut: [
          { rule: 'not evolved', reason: `prompt '${made.prompt}', example ${place}: ${reason}` },
        ],
      });
      if (copied.test(instruction)) return failed('the instruction repeats words of the prompt');
      const options = { extract: sameForm, temperature: 0, model: judge ?? run.model };
      const { value } = await run.ask(same, { first: from, second: instruction }, options);
      if (value === 'same') return failed('the instruction asks for the same as the one before');
      const { answered, leftOut } = await answersTo(task, { place, instruction }, run, 1);
      const rows = answered.map((answer) => ({
        example: {
          ...answeredExample(task, { place, instruction }, answer.value),
          made: provenanceJson(answer.made, { evolved: { from, by: name, seed: made.seed } }),
        },
        instruction,
        answers: [answer.value],
        unique: instruction,
      }));
      return { rows, leftOut, ...(rows.length > 0 && { state: { instruction } }) };
    },
  };
}

/** What each instruction has become, by its place. */
function lastOf(past: readonly PastEntry[]): Map<string, string> {
  const last = new Map<string, string>();
  for (const { place, state } of past) {
    if (state !== undefined) last.set(place, (state as { instruction: string }).instruction);
  }
  return last;
}
