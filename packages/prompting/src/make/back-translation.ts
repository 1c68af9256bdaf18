import type { JsonValue } from '@headwise/data';
import type { Extractor } from '../answers/extract.js';
import { checkCount } from '../check-count.js';
import type { PromptModel } from '../prompt-model.js';
import { answeredExample } from './make-form.js';
import { type MakePrompts, makePrompts } from './make-prompts.js';
import { type MakeRun, provenanceJson } from './make-run.js';
import type { MakeItem, Making, PastEntry, Recipe } from './recipe.js';

/** A text that is to be an answer, and perhaps the instruction that it answers. */
export interface SourceDocument extends MakeItem {
  readonly document: string;
  /** One that was written before: it is only scored again. */
  readonly instruction?: string | undefined;
}

/** Options of `backTranslation`. */
export interface BackTranslationOptions {
  /** Default those of `makePrompts('messages')`. */
  readonly prompts?: Pick<MakePrompts, 'task' | 'instruct' | 'score' | 'example'> | undefined;
  /** The model that scores, such as one that was trained on the round before. Default the one that writes. */
  readonly judge?: PromptModel | undefined;
  /** The least score, 1 to 5, of what is kept. Default 4. */
  readonly least?: number | undefined;
  /** How often what was not kept is written again, with the best of the rounds before as examples. Default 1. */
  readonly rounds?: number | undefined;
  /** Examples in the prompts of rounds after the first. Default 3. */
  readonly shots?: number | undefined;
  /** Finds the score. Default the last `Score: n`, or an answer that is a number alone. */
  readonly extract?: Extractor<number> | undefined;
}

/** The score of an answer in the form of our prompt. */
export const scoreForm: Extractor<number> = (answer) => {
  const match = [...answer.matchAll(/score\W*([1-5])(?![\d.]*\d)|^\W*([1-5])\W*$/gi)].at(-1);
  if (match) return { value: Number(match[1] ?? match[2]) };
  return { problem: "the answer has no 'Score: ' with a number from 1 to 5" };
};

/**
 * Instructions for given documents: the model writes what each document would answer, and scores the pair; what scores less than `least` is
 * left out, and written again in the next round, which shows the best pairs so far.
 *
 * The paper fine-tunes between its rounds: train on the rows, and go on with the new model as `judge` or as the model.
 *
 * @throws InputError for options out of range
 * @see Li et al. 2023, Self-Alignment with Instruction Backtranslation, https://arxiv.org/abs/2308.06259
 * @example
 * makeExamples(backTranslation([{ place: 'whales.txt', document: 'Whales breathe air.' }]), { model });
 */
export function backTranslation(
  documents: readonly SourceDocument[],
  {
    prompts = makePrompts('messages'),
    judge,
    least = 4,
    rounds = 1,
    shots = 3,
    extract = scoreForm,
  }: BackTranslationOptions = {},
): Recipe<SourceDocument & { readonly examples: readonly string[] }> {
  checkCount('least', least, 1);
  checkCount('rounds', rounds, 1);
  checkCount('shots', shots, 0);
  const { task, instruct, score, example: shown } = prompts;
  const write = async (item: SourceDocument & { examples: readonly string[] }, run: MakeRun) =>
    item.instruction === undefined
      ? run.ask(instruct, { document: item.document, examples: item.examples })
      : { value: item.instruction, made: undefined };
  return {
    name: 'back-translation',
    prompts: {
      instruct,
      score,
      question: task.question,
      answer: task.answer,
    },
    settings: {
      least,
      rounds,
      shots,
      judge: judge?.name ?? null,
      judgeRevision: judge?.revision ?? null,
    },
    items: (round, past) => {
      if (round >= rounds) return [];
      if (round === 0) return documents.map((document) => ({ ...document, examples: [] }));
      const again = new Set(
        past
          .filter((entry) => entry.round === round - 1 && isToWrite(entry))
          .map(({ place }) => place),
      );
      const examples = bestOf(past, shots).map((pair) => shown.write(pair));
      return documents
        .filter(({ place, instruction }) => again.has(place) && instruction === undefined)
        .map((document) => ({ ...document, examples }));
    },
    make: async (item, run): Promise<Making> => {
      const { document, place } = item;
      const { value: instruction, made } = await write(item, run);
      const scored = await run.ask(
        score,
        { instruction, response: document },
        {
          ...{ extract, temperature: 0 },
          model: judge ?? run.model,
        },
      );
      const example = {
        ...answeredExample(task, { place, instruction }, document),
        made: provenanceJson(made ?? { ...scored.made, source: place }, {
          score: scored.value,
          judge: { ...scored.made } as unknown as JsonValue,
        }),
      };
      const state = { instruction, document, score: scored.value };
      if (scored.value < least) {
        const reason = `prompt '${score.name}', example ${place}: the score is ${scored.value}; expected at least ${least}`;
        return { rows: [], leftOut: [{ rule: 'score', reason, example }], state };
      }
      return { rows: [{ example, instruction, answers: [document], unique: instruction }], state };
    },
  };
}

/** Why a document is written for again: another instruction may do better. */
const rulesOfWriting = ['score', 'outside its form', 'unfinished', 'empty'];

const isToWrite = ({ rows, leftOut }: PastEntry): boolean =>
  rows.length === 0 && leftOut.some(({ rule }) => rulesOfWriting.includes(rule));

/** The pairs of the highest scores that were kept, the first ones first. */
function bestOf(past: readonly PastEntry[], count: number): Pair[] {
  return past
    .filter(({ rows, state }) => rows.length > 0 && state !== undefined)
    .map(({ state }) => state as unknown as Pair & { score: number })
    .sort((a, b) => b.score - a.score)
    .slice(0, count)
    .map(({ instruction, document }) => ({ instruction, document }));
}

interface Pair {
  readonly instruction: string;
  readonly document: string;
}
