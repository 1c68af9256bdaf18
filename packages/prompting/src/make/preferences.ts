import { checkOneOf } from '@headwise/core';
import type { JsonValue } from '@headwise/data';
import { checkCount } from '../check-count.js';
import { answersTo } from './answers-to.js';
import type { Judge, Verdict } from './judge.js';
import {
  type AnswerTask,
  answeredExample,
  answerMessages,
  judgedExample,
  preferenceExample,
  type Query,
} from './make-form.js';
import { type Provenance, provenanceJson } from './make-run.js';
import type { DraftRow, LeftOutRow, MadeExample, MakeItem, Recipe } from './recipe.js';

/** A query, perhaps with answers that were made before. */
export interface PreferenceQuery extends Query, MakeItem {
  readonly answers?: readonly string[] | undefined;
}

/** The method of `finetune` that rows are for. */
export const preferenceMethods = ['dpo', 'kto', 'sft'] as const;

/** Options of `preferences`. */
export interface PreferencesOptions {
  readonly judge: Judge;
  /** How questions and answers are written. Default `answerMessages`. */
  readonly task?: AnswerTask | undefined;
  /** Answers to each query that has none. Default 2. */
  readonly answers?: number | undefined;
  /** Pair the best answer with the worst, or each with each that scores less. Default `'best-worst'`. */
  readonly pairs?: 'best-worst' | 'all' | undefined;
  /** Rows with `chosen` and `rejected`, rows with `label`, or the preferred answers alone. Default `'dpo'`. */
  readonly method?: (typeof preferenceMethods)[number] | undefined;
}

/**
 * Preference pairs: the model answers each query several times, and a judge says which answer it prefers.
 *
 * @throws InputError for options out of range
 * @example
 * const judge = rewardJudge('short', (_, answer) => -answer.length);
 * makeExamples(preferences([{ place: '1', instruction: 'Who hunts the whale?' }], { judge }), { model });
 */
export function preferences(
  queries: readonly PreferenceQuery[],
  {
    judge,
    task = answerMessages,
    answers = judge.least ?? 2,
    pairs = 'best-worst',
    method = 'dpo',
  }: PreferencesOptions,
): Recipe<PreferenceQuery> {
  checkOneOf('pairs', pairs, ['best-worst', 'all']);
  checkOneOf('method', method, preferenceMethods);
  checkCount('answers', answers, judge.least ?? 2);
  return {
    name: 'preferences',
    prompts: { question: task.question, answer: task.answer, ...judge.prompts },
    settings: { answers, pairs, method, judge: judge.name, ...judge.settings },
    items: (round) => (round === 0 ? queries : []),
    make: async (query, run) => {
      const given = query.answers?.map((value) => ({ value, made: undefined }));
      const { answered, leftOut } = given
        ? { answered: given, leftOut: [] }
        : await answersTo(task, query, run, answers);
      const made = new Map<string, Provenance | undefined>(
        [...answered].reverse().map((one) => [one.value, one.made]),
      );
      const least = judge.least ?? 2;
      if (made.size < least) {
        const reason = `${query.place}: there are ${made.size} different answers; expected at least ${least} to compare`;
        return { rows: [], leftOut: [...leftOut, { rule: 'too few answers', reason }] };
      }
      // Numbers of given answers are those of their file, where two may be equal.
      const compared = given
        ? given.map(({ value }) => value)
        : [...new Set(answered.map(({ value }) => value))];
      const verdict = await judge.judge({ ...query, answers: compared }, run);
      const all = verdict.answers ?? compared;
      const chosen = pairsOf(verdict.scores, pairs).filter(([a, b]) => all[a] !== all[b]);
      if (chosen.length === 0) {
        const reason = `${query.place}: the judge '${judge.name}' prefers none of ${all.length} answers; expected one`;
        return { rows: [], leftOut: [...leftOut, { rule: 'tie', reason }] };
      }
      const first = [...made.values()].find((one) => one !== undefined);
      const rows = chosen.flatMap(([better, worse]) => {
        const of = {
          better: { text: all[better]!, score: verdict.scores[better]! },
          worse: { text: all[worse]!, score: verdict.scores[worse]! },
        };
        const from = (text: string) => made.get(text) ?? first;
        return examplesOf(method, task, query, of).map(
          ({ example, answers: own }): DraftRow => ({
            example: { ...example, made: provenance(from(own[0]!), query, { judge, verdict, of }) },
            instruction: query.instruction,
            answers: own,
          }),
        );
      });
      return { rows, leftOut: leftOut as LeftOutRow[] };
    },
  };
}

interface Compared {
  readonly better: { readonly text: string; readonly score: number };
  readonly worse: { readonly text: string; readonly score: number };
}

function examplesOf(
  method: (typeof preferenceMethods)[number],
  task: AnswerTask,
  query: Query,
  { better: { text: chosen }, worse: { text: rejected } }: Compared,
): { example: MadeExample; answers: string[] }[] {
  if (method === 'dpo') {
    return [
      {
        example: preferenceExample(task, query, { chosen, rejected }),
        answers: [chosen, rejected],
      },
    ];
  }
  if (method === 'sft')
    return [{ example: answeredExample(task, query, chosen), answers: [chosen] }];
  return [chosen, rejected].map((response) => ({
    example: judgedExample(task, query, { response, label: response === chosen }),
    answers: [response],
  }));
}

function provenance(
  made: Provenance | undefined,
  { place }: Query,
  { judge, verdict, of }: { judge: Judge; verdict: Verdict; of: Compared },
): JsonValue {
  const said = {
    judge: judge.name,
    scores: [of.better.score, of.worse.score],
    ...verdict.made,
  } as Readonly<Record<string, JsonValue>>;
  if (made) return provenanceJson(made, { judged: said });
  return { recipe: 'preferences', source: place, judged: said };
}

/** Pairs of numbers of answers, the better one first. */
function pairsOf(
  scores: readonly number[],
  which: 'best-worst' | 'all',
): (readonly [better: number, worse: number])[] {
  const order = scores.map((_, n) => n).sort((a, b) => scores[b]! - scores[a]! || a - b);
  if (which === 'best-worst') {
    const best = order[0]!;
    const least = Math.min(...scores);
    const worst = scores.indexOf(least);
    return scores[best]! > least ? [[best, worst]] : [];
  }
  return order.flatMap((a, i) =>
    order.slice(i + 1).flatMap((b) => (scores[a]! > scores[b]! ? [[a, b] as const] : [])),
  );
}
