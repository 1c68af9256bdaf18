import { InputError, Random } from '@headwise/core';
import { shuffledExamples } from '../../choose/example-chooser.js';
import type { PromptModel } from '../../prompt-model.js';
import { checkWhole, type TrialExample, type TrialOptions } from '../plan.js';
import type { TrialPrompt } from '../trial-prompt.js';
import { askAll, type PromptCandidate, withInstruction } from './candidate.js';
import { type Reflection, type ReflectionOptions, reflect } from './reflect.js';

/** How a better prompt is searched. */
export interface SearchOptions extends Pick<TrialOptions, 'generation' | 'batch'> {
  /** Examples that candidates show, and that reflection learns from. */
  readonly pool: readonly TrialExample[];
  /** Questions that candidates are judged by; none of them is shown. */
  readonly validation: readonly TrialExample[];
  /** Questions that may be asked, all together. A candidate is judged by all of `validation`. */
  readonly budget: number;
  /** Numbers of examples that candidates show; the first is that of the prompt as it is given. Default `[0]`. */
  readonly shots?: readonly number[] | undefined;
  /** Instructions to try besides the prompt's own. */
  readonly instructions?: readonly string[] | undefined;
  /** A model rewrites instructions from questions that were answered wrong; default a random search. */
  readonly reflection?: ReflectionOptions | boolean | undefined;
  /** With a chain of thought. Default false. */
  readonly chain?: boolean | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each candidate. */
  readonly onCandidate?: ((candidate: PromptCandidate, spent: number) => void) | undefined;
}

/** What a search has tried. */
export interface PromptSearch {
  /** In the order in which they were tried; the first is the prompt as it was given. */
  readonly candidates: readonly PromptCandidate[];
  /** The number of the one that answers most of the validation part; of equal ones that with the fewest examples, then the first. */
  readonly best: number;
  /** Every rewriting, those that were not taken too. */
  readonly reflections: readonly Reflection[];
  /** Questions that were asked. */
  readonly spent: number;
}

interface Searching {
  readonly model: PromptModel;
  readonly prompt: TrialPrompt;
  readonly options: SearchOptions;
  readonly random: Random;
  readonly candidates: PromptCandidate[];
  readonly reflections: Reflection[];
  spent: number;
}

/**
 * Searches a prompt that answers more of a validation part, within a budget of questions.
 *
 * A random search draws instructions and sets of examples. With `reflection` a model rewrites the instruction of a candidate from questions of
 * the pool that it answered wrong; a rewriting that answers more of these is judged by the validation part (after GEPA: its candidates are taken
 * by how many questions they are best at).
 *
 * @throws InputError for a budget that is not enough for the prompt as it is given and another; for options out of range; as `runTrial`
 * @see Agrawal et al. 2025, https://arxiv.org/abs/2507.19457
 * @see Khattab et al. 2023, https://arxiv.org/abs/2310.03714
 */
export async function searchPrompt(
  model: PromptModel,
  prompt: TrialPrompt,
  options: SearchOptions,
): Promise<PromptSearch> {
  const { pool, validation, budget, shots = [0], seed = 0, reflection = false } = options;
  check(options);
  const random = new Random(seed);
  const state = { model, prompt, options, random, candidates: [], reflections: [], spent: 0 };
  const searching: Searching = state;
  const shown = shuffledExamples(pool, seed).slice(0, shots[0]!);
  await judge(searching, {
    prompt: renamed(searching, prompt.definition.instruction),
    shown,
    origin: 'given',
  });
  // What a rewriting has to be judged by first.
  const least = reflection ? 2 * questionsOf(options) : 0;
  const seen = new Set([keyOf(prompt.definition.instruction, shown)]);
  // A draw or a rewriting that is no new candidate costs nothing or little: it may not go on forever.
  for (let idle = 0; idle < 20 && searching.spent + least + validation.length <= budget; ) {
    const before = searching.candidates.length;
    if (reflection) await reflectOnce(searching);
    else await drawOnce(searching, seen);
    idle = searching.candidates.length > before ? 0 : idle + 1;
  }
  const { candidates, reflections, spent } = searching;
  return { candidates, best: bestOf(candidates), reflections, spent };
}

function check({
  pool,
  validation,
  budget,
  shots = [0],
  reflection,
  ...rest
}: SearchOptions): void {
  if (validation.length === 0) {
    throw new InputError('there are no examples to judge by; expected at least one');
  }
  checkWhole('budget', budget, 1);
  const most = Math.max(...shots);
  if (shots.length === 0 || most > pool.length) {
    throw new InputError(`${most} shots are asked for, and the pool has ${pool.length} examples`);
  }
  const questions = reflection ? questionsOf({ reflection }) : 0;
  if (reflection) {
    checkWhole('questions', questions, 1);
    if (pool.length - most < questions) {
      throw new InputError(
        `the pool has ${pool.length} examples, of which ${most} may be shown; expected ${questions} more to reflect on`,
      );
    }
  } else if (most === 0 && (rest.instructions ?? []).length === 0) {
    throw new InputError(
      'a random search has neither shots nor instructions to draw; expected some, or reflection',
    );
  }
  const needed = 2 * validation.length + 2 * questions;
  if (budget >= needed) return;
  throw new InputError(
    `budget is ${budget}; expected at least ${needed}: the prompt and another candidate are asked ${validation.length} questions each${reflection ? `, and a rewriting ${questions} before and after` : ''}`,
  );
}

/** Asks a candidate all questions of the validation part. */
async function judge(
  searching: Searching,
  candidate: Omit<PromptCandidate, 'right'>,
): Promise<void> {
  const { options, candidates } = searching;
  const records = await ask(searching, candidate, options.validation);
  const judged = { ...candidate, right: records.map(({ correct }) => correct) };
  candidates.push(judged);
  options.onCandidate?.(judged, searching.spent);
}

async function ask(
  searching: Searching,
  candidate: Pick<PromptCandidate, 'prompt' | 'shown'>,
  examples: readonly TrialExample[],
) {
  const { model, options } = searching;
  const { chain = false, generation, batch, seed, signal } = options;
  searching.spent += examples.length;
  const bare = examples.map(({ id, values }) => ({ id, values }));
  return askAll(model, candidate, {
    ...{ examples: bare, chain: [chain], signal, seed },
    ...{ generation, batch },
  });
}

/** Draws an instruction and examples; one that was drawn before is left out. */
async function drawOnce(searching: Searching, seen: Set<string>): Promise<void> {
  const { prompt, options, random } = searching;
  const { pool, shots = [0], instructions = [] } = options;
  const own = [prompt.definition.instruction, ...instructions];
  const instruction = own[random.nextUint32() % own.length];
  const count = shots[random.nextUint32() % shots.length]!;
  const shown = shuffledExamples(pool, random.nextUint32()).slice(0, count);
  const key = keyOf(instruction, shown);
  if (seen.has(key)) return;
  seen.add(key);
  await judge(searching, { prompt: renamed(searching, instruction), shown, origin: 'random' });
}

/** Rewrites the instruction of a candidate, and judges it where it answers more of the questions that it was made from. */
async function reflectOnce(searching: Searching): Promise<void> {
  const { model, options, random, candidates, reflections } = searching;
  const parent = candidateOf(candidates, random);
  const { prompt, shown } = candidates[parent]!;
  const free = options.pool.filter((one) => !shown.includes(one));
  const asked = shuffledExamples(free, random.nextUint32()).slice(0, questionsOf(options));
  const before = await ask(searching, { prompt, shown }, asked);
  const failures = before.flatMap((record, n) =>
    record.correct ? [] : [{ example: asked[n]!, record }],
  );
  if (failures.length === 0) return;
  const { model: writer = model, maxNewTokens = 256, temperature = 1 } = settingsOf(options);
  const seed = random.nextUint32();
  const { signal } = options;
  const made = await reflect(writer, prompt, failures, { maxNewTokens, temperature, seed, signal });
  reflections.push(made);
  if (made.instruction === undefined) return;
  const candidate = { prompt: renamed(searching, made.instruction), shown };
  const after = await ask(searching, candidate, asked);
  if (after.filter(({ correct }) => correct).length <= before.length - failures.length) return;
  await judge(searching, { ...candidate, origin: { reflectionOn: parent } });
}

/** A candidate, more likely the more questions it is best at: none that others surpass everywhere. */
function candidateOf(candidates: readonly PromptCandidate[], random: Random): number {
  const questions = candidates[0]!.right.length;
  const wins = Array.from({ length: questions }, (_, q) => {
    const right = candidates.flatMap(({ right }, n) => (right[q] ? [n] : []));
    return right.length > 0 ? right : [...candidates.keys()];
  });
  const best = wins[random.nextUint32() % questions]!;
  return best[random.nextUint32() % best.length]!;
}

function bestOf(candidates: readonly PromptCandidate[]): number {
  const rank = ({ right, shown }: PromptCandidate) => [right.filter(Boolean).length, -shown.length];
  let best = 0;
  for (const n of candidates.keys()) {
    const [right, few] = rank(candidates[n]!);
    const [most, fewest] = rank(candidates[best]!);
    if (right! > most! || (right === most && few! > fewest!)) best = n;
  }
  return best;
}

const settingsOf = ({ reflection }: Pick<SearchOptions, 'reflection'>): ReflectionOptions =>
  typeof reflection === 'object' ? reflection : {};

const questionsOf = (options: Pick<SearchOptions, 'reflection'>): number =>
  settingsOf(options).questions ?? 4;

const renamed = ({ prompt, candidates }: Searching, instruction: string | undefined): TrialPrompt =>
  withInstruction(prompt, instruction, `${prompt.name} #${candidates.length}`);

const keyOf = (instruction: string | undefined, shown: readonly TrialExample[]): string =>
  JSON.stringify([instruction, shown.map(({ id }) => id)]);
