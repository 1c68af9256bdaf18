import { InputError } from '@headwise/core';
import type { JsonValue } from '@headwise/data';
import type { Extracted, Extractor } from '../answers/extract.js';
import { checkCount } from '../check-count.js';
import type { PromptModel } from '../prompt-model.js';
import type { Judge } from './judge.js';
import { type MakePrompts, makePrompts } from './make-prompts.js';
import type { MakeRun } from './make-run.js';
import { principles as ours } from './wordings.js';

/** Options of judges that follow a constitution. */
export interface ConstitutionOptions {
  /** Default `principles`. */
  readonly principles?: readonly string[] | undefined;
  /** The model that judges. Default the one that writes. */
  readonly model?: PromptModel | undefined;
  /** Default those of `makePrompts('messages')`. */
  readonly prompts?: Pick<MakePrompts, 'compare' | 'critique' | 'revise'> | undefined;
}

/** The verdict of an answer in the form of our prompt. */
export const verdictForm: Extractor<'A' | 'B'> = (answer): Extracted<'A' | 'B'> => {
  const match = [...answer.matchAll(/verdict\W*([AB])\b|^\W*([AB])\W*$/gi)].at(-1);
  const letter = (match?.[1] ?? match?.[2])?.toUpperCase();
  if (letter === 'A' || letter === 'B') return { value: letter };
  return { problem: "the answer has no 'Verdict: A' or 'Verdict: B'" };
};

/**
 * A judge that asks a model which of two answers follows a principle better, drawn at random for each query.
 *
 * Each pair is shown in both orders, and a model that prefers a place to an answer has no verdict: both have half of a point. An answer's score is
 * the sum of its points.
 *
 * @throws InputError for no principles, and an empty one
 * @see Bai et al. 2022, Constitutional AI, https://arxiv.org/abs/2212.08073
 */
export function constitutionJudge({
  principles = ours,
  model,
  prompts: { compare } = makePrompts('messages'),
  extract = verdictForm,
}: ConstitutionOptions & { readonly extract?: Extractor<'A' | 'B'> | undefined } = {}): Judge {
  checkPrinciples(principles);
  return {
    name: 'constitution',
    settings: { principles, ...modelSettings(model) },
    prompts: { compare },
    judge: async ({ instruction, answers }, run) => {
      const principle = drawn(principles, run, 'principle');
      const scores = answers.map(() => 0);
      const isFirstBetter = async (first: number, second: number, n: number) => {
        const values = { instruction, principle, first: answers[first]!, second: answers[second]! };
        const options = { temperature: 0, extract, n };
        const { value } = await run.ask(compare, values, { ...options, model: model ?? run.model });
        return value === 'A';
      };
      const pairs = answers.flatMap((_, a) =>
        answers.slice(a + 1).map((_, b) => [a, a + 1 + b] as const),
      );
      await Promise.all(
        pairs.map(async ([a, b], n) => {
          const [one, other] = await Promise.all([
            isFirstBetter(a, b, 2 * n),
            isFirstBetter(b, a, 2 * n + 1),
          ]);
          const points = (Number(one) + Number(!other)) / 2;
          scores[a]! += points;
          scores[b]! += 1 - points;
        }),
      );
      return { scores, made: { principle, model: (model ?? run.model).name } };
    },
  };
}

/**
 * A judge that has a model criticise the first answer by a principle and write it again, perhaps several times, and prefers what comes of it.
 *
 * @param rounds critiques one after the other, each by another principle; default 1
 * @throws InputError for no principles, an empty one, and fewer than one round
 * @see Bai et al. 2022, Constitutional AI, section 3, https://arxiv.org/abs/2212.08073
 */
export function revisionJudge({
  principles = ours,
  model,
  prompts: { critique, revise } = makePrompts('messages'),
  rounds = 1,
}: ConstitutionOptions & { readonly rounds?: number | undefined } = {}): Judge {
  checkPrinciples(principles);
  checkCount('rounds', rounds, 1);
  return {
    name: 'revision',
    settings: { principles, rounds, ...modelSettings(model) },
    prompts: { critique, revise },
    least: 1,
    judge: async ({ instruction, answers }, run) => {
      const by = model ?? run.model;
      const steps: JsonValue[] = [];
      let response = answers[0]!;
      for (let n = 0; n < rounds; n++) {
        const principle = drawn(principles, run, 'principle', n);
        const values = { instruction, response, principle };
        const said = (await run.ask(critique, values, { n, model: by })).value;
        const next = await run.ask(revise, { ...values, critique: said }, { n, model: by });
        response = next.value;
        steps.push({ principle, critique: said });
      }
      const all = answers.includes(response) ? answers : [...answers, response];
      return {
        answers: all,
        scores: all.map((answer) => Number(answer === response)),
        made: { revised: steps, model: by.name },
      };
    },
  };
}

/** One of the principles, drawn for a query. */
const drawn = (
  principles: readonly string[],
  run: MakeRun,
  ...names: (string | number)[]
): string => principles[run.seedOf(...names) % principles.length]!;

const modelSettings = (model: PromptModel | undefined): Record<string, JsonValue> => ({
  judge: model?.name ?? null,
  judgeRevision: model?.revision ?? null,
});

function checkPrinciples(principles: readonly string[]): void {
  if (principles.length === 0) {
    throw new InputError('there are no principles; expected at least one');
  }
  const n = principles.findIndex((one) => one.trim() === '');
  if (n >= 0) throw new InputError(`principle ${n + 1} is empty; expected a sentence`);
}
