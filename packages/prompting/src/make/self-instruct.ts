import { Random } from '@headwise/core';
import type { Extractor } from '../answers/extract.js';
import { checkCount } from '../check-count.js';
import { answersTo } from './answers-to.js';
import { LeftOut } from './left-out.js';
import { answeredExample } from './make-form.js';
import { type MakePrompts, makePrompts } from './make-prompts.js';
import { type MakeRun, provenanceJson } from './make-run.js';
import type { MakeItem, Making, PastEntry, Recipe } from './recipe.js';
import { rougeL } from './rouge.js';

/** Options of `selfInstruct`. */
export interface SelfInstructOptions {
  /** How many new instructions are wanted. */
  readonly count: number;
  /** Default those of `makePrompts('messages')`. */
  readonly prompts?: Pick<MakePrompts, 'task' | 'tasks'> | undefined;
  /** Prompts of a round, whose instructions the next round may show. Default 8. */
  readonly together?: number | undefined;
  /** Rounds at most, where fewer instructions come than are wanted. Default 20. */
  readonly rounds?: number | undefined;
  /** Instructions that a prompt shows. Default 8. */
  readonly shown?: number | undefined;
  /** Of these, how many are the model's own at most. Default 2. */
  readonly own?: number | undefined;
  /** The ROUGE-L similarity to another instruction from which a new one is left out. Default 0.7. */
  readonly similarity?: number | undefined;
}

/** A prompt that asks for instructions, or an instruction that is answered. */
type SelfInstructItem = MakeItem &
  (
    | { readonly seeds: readonly string[]; readonly own: readonly string[] }
    | { readonly instruction: string; readonly problem?: string | undefined }
  );

/**
 * New instructions by a model that is shown some of the given ones and of its own, each with an answer: Self-Instruct.
 *
 * @param seeds instructions to begin from
 * @throws InputError for options out of range, and without seeds
 * @see Wang et al. 2022, https://arxiv.org/abs/2212.10560
 * @example
 * makeExamples(selfInstruct(['Who hunts the whale?', 'Name three seas.'], { count: 100 }), { model });
 */
export function selfInstruct(
  seeds: readonly string[],
  {
    count,
    prompts = makePrompts('messages'),
    together = 8,
    rounds = 20,
    shown = 8,
    own = 2,
    similarity = 0.7,
  }: SelfInstructOptions,
): Recipe<SelfInstructItem> {
  checkCount('count', count, 1);
  checkCount('seeds.length', seeds.length, 1);
  checkCount('together', together, 1);
  checkCount('rounds', rounds, 1);
  checkCount('shown', shown, 1);
  checkCount('own', own, 0);
  const { task, tasks } = prompts;
  const write = async (
    { seeds: given, own: made }: Extract<SelfInstructItem, { seeds: unknown }>,
    run: MakeRun,
  ): Promise<Making> => {
    const ofModel = drawn(made, Math.min(own, shown - 1), run.seedOf('own'));
    const ofSeeds = drawn(given, shown - ofModel.length, run.seedOf('seeds'));
    const all = drawn([...ofModel, ...ofSeeds], shown, run.seedOf('order'));
    const listed = all.map((text, n) => `${n + 1}. ${text.replace(/\s+/g, ' ')}`);
    const values = { tasks: listed, next: listed.length + 1 };
    const { value, reason } = await run.ask(tasks, values, { extract: listForm });
    // The last one of a list that was cut may be.
    const instructions = reason === 'length' ? value.slice(0, -1) : value;
    if (instructions.length === 0) {
      throw new LeftOut(
        'unfinished',
        `prompt '${tasks.name}', example ${run.place}: the only task of the answer has no end`,
      );
    }
    return { rows: [], state: { instructions } };
  };
  const answer = async (
    { place, instruction, problem }: Extract<SelfInstructItem, { instruction: string }>,
    run: MakeRun,
  ): Promise<Making> => {
    if (problem !== undefined) {
      const reason = `prompt '${tasks.name}', example ${place}: ${problem}`;
      return { rows: [], leftOut: [{ rule: 'instruction', reason }] };
    }
    const { answered, leftOut } = await answersTo(task, { place, instruction }, run, 1);
    const rows = answered.map(({ value, made }) => ({
      example: {
        ...answeredExample(task, { place, instruction }, value),
        made: provenanceJson(made),
      },
      instruction,
      answers: [value],
      unique: instruction,
    }));
    return { rows, leftOut, state: { instruction } };
  };
  return {
    name: 'self-instruct',
    prompts: { tasks, question: task.question, answer: task.answer },
    settings: { count, together, rounds, shown, own, similarity },
    items: (round, past) => {
      const accepted = acceptedOf(past);
      if (round % 2 === 1)
        return candidatesOf(past, round - 1, { seeds, accepted, similarity, count });
      if (accepted.length >= count || round / 2 >= rounds) return [];
      return Array.from({ length: together }, (_, n) => ({
        place: `round ${round / 2 + 1}, prompt ${n + 1}`,
        ...{ seeds, own: accepted },
      }));
    },
    make: (item, run) => ('instruction' in item ? answer(item, run) : write(item, run)),
  };
}

/** The instructions that were new, in order. */
const acceptedOf = (past: readonly PastEntry[]): string[] =>
  past.flatMap(({ state }) => {
    const { instruction } = (state ?? {}) as { instruction?: string };
    return instruction === undefined ? [] : [instruction];
  });

/** The instructions that a round has written, with what is wrong with those that are not used. */
function candidatesOf(
  past: readonly PastEntry[],
  round: number,
  {
    seeds,
    accepted,
    similarity,
    count,
  }: { seeds: readonly string[]; accepted: readonly string[]; similarity: number; count: number },
): SelfInstructItem[] {
  const pool = [...seeds, ...accepted];
  const enough = seeds.length + count;
  return past
    .filter((entry) => entry.round === round)
    .flatMap(({ place, state }) => {
      const { instructions } = (state ?? { instructions: [] }) as { instructions: string[] };
      return instructions.map((instruction, n) => ({
        place: `${place}, task ${n + 1}`,
        instruction,
      }));
    })
    .flatMap((item) => {
      if (pool.length >= enough) return [];
      const problem = problemOf(item.instruction) ?? likeOne(item.instruction, pool, similarity);
      if (problem === undefined) pool.push(item.instruction);
      return [{ ...item, problem }];
    });
}

function likeOne(
  instruction: string,
  pool: readonly string[],
  similarity: number,
): string | undefined {
  const like = pool.find((other) => rougeL(instruction, other) > similarity);
  return like === undefined ? undefined : `'${instruction}' is like '${like}'`;
}

/** What a model of texts cannot do, and what no instruction is, as in the paper. */
function problemOf(instruction: string): string | undefined {
  const words = instruction.split(/\s+/).length;
  if (words <= 3 || words > 150) return `'${instruction}' has ${words} words; expected 4 to 150`;
  const [strange] =
    /\b(?:images?|graphs?|pictures?|files?|maps?|draw|plot|go to)\b/i.exec(instruction) ?? [];
  if (strange) return `'${instruction}' asks for '${strange}', which is no text`;
  if (/^[\p{P}\p{S}]/u.test(instruction)) return `'${instruction}' begins with punctuation`;
  return undefined;
}

const numbered = /^\s*\d+\s?[.):]\s*/;

/** The items of a numbered list, one a line; the first has no number where the prompt ends in it. */
const listForm: Extractor<string[]> = (answer) => {
  const lines = answer.split('\n').filter((line) => line.trim() !== '');
  const items = lines
    .filter((line, n) => numbered.test(line) || (n === 0 && !/:\s*$/.test(line)))
    .map((line) => line.replace(numbered, '').trim())
    .filter((line) => line !== '');
  return items.length > 0 ? { value: items } : { problem: 'the answer lists no tasks' };
};

/** Some of several texts, each at most once, in a random order. */
function drawn(texts: readonly string[], count: number, seed: number): string[] {
  const random = new Random(seed);
  const left = [...texts];
  const taken: string[] = [];
  while (taken.length < count && left.length > 0) {
    taken.push(...left.splice(Math.floor(random.next() * left.length), 1));
  }
  return taken;
}
