import { InputError } from '@headwise/core';
import type { TextOptions } from '@headwise/text';
import {
  checkCount,
  type ExampleChooser,
  randomExamples,
  shuffledExamples,
} from '../choose/example-chooser.js';
import { type PromptValues, placeOf } from '../template.js';
import type { TrialPrompt } from './trial-prompt.js';

/** A question with its label. */
export interface TrialExample {
  /** What records and errors name it by: unique among all. */
  readonly id: string;
  /** Of every slot of the prompts that are tried. */
  readonly values: PromptValues;
  /** Only examples of its group are shown before it, such as those of one rule, person or document. Default one group for all. */
  readonly group?: string | undefined;
}

/** Chooses the examples that are shown before a question, from the pool of its group. */
export type TrialChooser = (
  pool: readonly TrialExample[],
  seed: number,
  prompt: TrialPrompt,
) => ExampleChooser<TrialExample>;

/** What is tried. */
export interface TrialOptions {
  /** At least one, each of another name. */
  readonly prompts: readonly TrialPrompt[];
  /** The questions that every variant answers. */
  readonly examples: readonly TrialExample[];
  /** What is shown before them. Default none, for trials without shots. */
  readonly pool?: readonly TrialExample[] | undefined;
  /** Numbers of examples that are shown. Default none: `[0]`. */
  readonly shots?: readonly number[] | undefined;
  /** Orders of the same examples. Default 1: as they were drawn. */
  readonly orders?: number | undefined;
  /** Draws of examples, and of sampled texts. Default 1. */
  readonly seeds?: number | undefined;
  /** The first seed; the others follow. Default 0. */
  readonly seed?: number | undefined;
  /** Without a chain of thought (`false`), with it, or both. Default `[false]`. */
  readonly chain?: readonly boolean[] | undefined;
  /** Which examples are shown. Default at random, the same ones before every question of a group. */
  readonly choose?: TrialChooser | undefined;
  /** Of texts that are written. Default greedy: `{ temperature: 0 }`. */
  readonly generation?: Omit<TextOptions, 'seed' | 'maxNewTokens' | 'stop' | 'signal'> | undefined;
  /** Questions that are answered together. Default 16. */
  readonly batch?: number | undefined;
}

/** One way to ask all questions. */
export interface TrialVariant {
  /** Its prompt, shots and chain: `sentiment, 4 shots, chain`. Variants of a condition differ by seed and order. */
  readonly condition: string;
  readonly prompt: TrialPrompt;
  readonly shots: number;
  readonly chain: boolean;
  readonly seed: number;
  readonly order: number;
}

/** A trial that is checked and can be run. */
export interface TrialPlan {
  readonly prompts: readonly TrialPrompt[];
  readonly examples: readonly TrialExample[];
  readonly pool: readonly TrialExample[];
  readonly choose: TrialChooser;
  readonly generation: NonNullable<TrialOptions['generation']>;
  readonly batch: number;
  /** In the order in which they are run. */
  readonly variants: readonly TrialVariant[];
}

/**
 * Checks a trial, and lists its variants: every prompt with every number of shots, with and without a chain of thought, in several draws and orders.
 *
 * What makes no difference is not tried twice: zero shots have one order, k shots at most k!, and zero shots one seed unless texts are sampled.
 *
 * @throws InputError naming prompt and example, for a slot without a value, a value without a slot, a label that is not one of its options, an
 * example that is in the pool and asked too; for numbers out of range, and a pool with too few examples
 */
export function planTrial({
  prompts,
  examples,
  pool = [],
  shots = [0],
  orders = 1,
  seeds = 1,
  seed = 0,
  chain = [false],
  choose = (own, drawn) => randomExamples(own, { seed: drawn }),
  generation = { temperature: 0 },
  batch = 16,
}: TrialOptions): TrialPlan {
  if (prompts.length === 0) throw new InputError('there are no prompts; expected at least one');
  if (examples.length === 0) throw new InputError('there are no examples; expected at least one');
  checkUnique(
    prompts.map(({ name }) => name),
    'prompt',
  );
  checkUnique(
    [...examples, ...pool].map(({ id }) => id),
    'example',
  );
  for (const [name, value] of Object.entries({ orders, seeds, batch })) checkWhole(name, value, 1);
  for (const count of shots) checkCount(count, Number.MAX_SAFE_INTEGER);
  checkUnique(shots.map(String), 'number of shots');
  for (const prompt of prompts) {
    for (const example of [...examples, ...pool]) checkExample(prompt, example);
  }
  checkPool(Math.max(...shots), examples, pool);
  const variants = prompts.flatMap((prompt) =>
    [...new Set(chain)].flatMap((thinks) =>
      shots.flatMap((count) => {
        const sampled = (thinks || prompt.by === 'write') && generation.temperature !== 0;
        const draws = count > 0 || sampled ? seeds : 1;
        const condition = `${prompt.name}, ${count} ${count === 1 ? 'shot' : 'shots'}${thinks ? ', chain' : ''}`;
        return Array.from({ length: draws }, (_, n) => seed + n).flatMap((own) =>
          Array.from({ length: Math.min(orders, factorial(count)) }, (_, order) => ({
            ...{ condition, prompt, shots: count, chain: thinks, seed: own, order },
          })),
        );
      }),
    ),
  );
  return { prompts, examples, pool, choose, generation, batch, variants };
}

/** The examples that a variant shows before a question, in their order. */
export function examplesShown(
  plan: TrialPlan,
): (variant: TrialVariant, example: TrialExample) => Promise<readonly TrialExample[]> {
  const choosers = new Map<string, ExampleChooser<TrialExample>>();
  return async ({ prompt, shots, seed, order }, example) => {
    if (shots === 0) return [];
    const key = JSON.stringify([prompt.name, seed, example.group]);
    const own = () => plan.pool.filter(({ group }) => group === example.group);
    const chooser = choosers.get(key) ?? plan.choose(own(), seed, prompt);
    choosers.set(key, chooser);
    return ordered(await chooser(example, shots), seed, order);
  };
}

/** The n-th order of some examples, each another one; the first is theirs. */
function ordered<T>(examples: readonly T[], seed: number, order: number): readonly T[] {
  const seen = new Set([[...examples.keys()].join()]);
  let found = [...examples.keys()];
  for (let tried = 0; seen.size <= order; tried++) {
    found = [...shuffledExamples([...examples.keys()], seed * 2 ** 16 + tried)];
    seen.add(found.join());
  }
  return found.map((n) => examples[n]!);
}

/** The values of an example that a prompt's question takes, and those of its answer. */
export function valuesFor(
  { task }: TrialPrompt,
  { values }: TrialExample,
): { question: PromptValues; answer: PromptValues } {
  const asked = task.withExamples([]).slots;
  const pick = (slots: object) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(slots, name)));
  return { question: pick(asked), answer: pick(task.answer.slots) };
}

function checkExample(prompt: TrialPrompt, example: TrialExample): void {
  const { task } = prompt;
  const { question, answer } = valuesFor(prompt, example);
  const strange = Object.keys(example.values).find((name) => !(name in question || name in answer));
  if (strange !== undefined) {
    const slots = Object.keys({ ...task.question.slots, ...task.answer.slots });
    throw new InputError(
      `${placeOf(task.name, example.id)}: there is no slot '${strange}'; its slots are ${slots.map((slot) => `'${slot}'`).join(', ')}`,
    );
  }
  task.withExamples([]).write(question, { example: example.id });
  task.answer.write(answer, { example: example.id });
}

function checkPool(
  most: number,
  examples: readonly TrialExample[],
  pool: readonly TrialExample[],
): void {
  const sizes = new Map<string | undefined, number>();
  for (const { group } of pool) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  for (const { id, group } of examples) {
    const size = sizes.get(group) ?? 0;
    if (size >= most) continue;
    const of = group === undefined ? '' : ` of the group '${group}'`;
    throw new InputError(
      `example ${id}: ${most} shots are asked for, and the pool has ${size} examples${of}; expected at least ${most}`,
    );
  }
}

function checkUnique(names: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new InputError(`the ${what} ${name} is given twice; expected once`);
    seen.add(name);
  }
}

export function checkWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new InputError(`${name} is ${value}; expected a whole number of at least ${least}`);
}

const factorial = (n: number): number => (n < 2 ? 1 : Math.min(n * factorial(n - 1), 1e9));
