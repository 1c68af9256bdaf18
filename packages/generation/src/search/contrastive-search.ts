import { InputError, readTensor } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { Generator } from '../batch-scores.js';
import type { GenerateOptions } from '../options.js';
import { checkedPlan, type Plan } from '../plan.js';
import { processed } from '../process-scores.js';
import { startOf } from '../prompt.js';
import { Stopping, type StopReason } from '../stop.js';
import { best } from './best.js';
import { type HiddenStates, hiddenStatesOf } from './hidden-states.js';
import { probabilities } from './log-probabilities.js';

export interface ContrastiveSearchOptions extends GenerateOptions {
  /** The number of likeliest tokens that are compared, at least 2: `k`. */
  candidates: number;
  /** The weight of the similarity with tokens before, from 0 to 1: `α`; 0 is greedy. */
  penalty: number;
}

/** A sequence that a contrastive search found. */
export interface ContrastiveSequence {
  /** The new tokens, without the stop id. */
  readonly ids: readonly number[];
  readonly reason: StopReason;
  /** The stop id that ended it, where one did. */
  readonly stopId: number | undefined;
}

/**
 * Contrastive search: of the likeliest tokens the one of the highest `(1 − α) p − α max cos(h, hⱼ)`, h its last hidden state and hⱼ
 * those of the tokens before.
 *
 * It is deterministic: temperature and cut-offs have no effect. A step runs `k` candidates of each sequence through the model and
 * reads `4 V` bytes of each sequence. Prompts may differ in length.
 *
 * @throws InputError for prompts that are empty, too long or outside the vocabulary, for options out of range, and for a decoder
 * whose head is not one matrix
 * @see Su et al. 2022, https://arxiv.org/abs/2202.06417
 */
export async function contrastiveSearch(
  network: Generator,
  prompts: readonly (readonly number[])[],
  options: ContrastiveSearchOptions,
): Promise<ContrastiveSequence[]> {
  checkContrastive(network, options);
  const sequences = prompts.map((prompt) => new Growing(network, prompt, options));
  let live = sequences.filter(({ ended }) => !ended);
  if (live.length === 0) return sequences;
  const model = hiddenStatesOf(network, live[0]!.plan.storage);
  let states: States | undefined;
  try {
    states = new States(
      model,
      live.map(({ prompt }) => prompt),
    );
    while (live.length > 0) {
      const { ids, shares } = await candidatesOf(live, states, options.candidates);
      states.advance(ids.flat());
      const similarities = await states.similarities(options.candidates);
      const rows: number[] = [];
      for (const [n, sequence] of live.entries()) {
        const scores = shares[n]!.map(
          (share, i) => (1 - options.penalty) * share - options.penalty * similarities[n]![i]!,
        );
        const chosen = scores.indexOf(Math.max(...scores));
        sequence.take(ids[n]![chosen]!);
        rows.push(n * options.candidates + chosen);
      }
      await nextTask();
      const on = live.flatMap(({ ended }, n) => (ended ? [] : [n]));
      live = on.map((n) => live[n]!);
      if (live.length > 0) {
        states.keep(
          on.map((n) => rows[n]!),
          on,
        );
      }
    }
  } finally {
    states?.dispose();
    model.dispose();
  }
  return sequences;
}

/** A sequence while it grows. */
class Growing implements ContrastiveSequence {
  readonly plan: Plan;
  readonly prompt: readonly number[];
  readonly ids: number[] = [];
  stopId: number | undefined;
  #reason: StopReason | undefined;
  readonly #stopping: Stopping;

  /** What new tokens follow. */
  readonly start: readonly number[];

  constructor(network: Generator, prompt: readonly number[], options: GenerateOptions) {
    this.prompt = prompt;
    if (options.startIds) {
      throw new InputError(
        'startIds is given for contrastiveSearch; expected none: it is for generateBatch and beamSearch',
      );
    }
    this.start = startOf(network, prompt, {});
    this.plan = checkedPlan(network, prompt, options, this.start);
    // Greedy plans divide and cut off nothing.
    this.plan.sampling.temperature = 0;
    // Candidates are read as tokens of the sequence.
    this.plan.most = Math.min(this.plan.most, network.maxLength - this.start.length);
    this.#stopping = new Stopping(this.plan);
  }

  get reason(): StopReason {
    return this.#reason!;
  }

  get ended(): boolean {
    this.#reason ??= this.#stopping.before(this.ids.length);
    return this.#reason !== undefined;
  }

  take(id: number): void {
    if (this.#stopping.at(id)) {
      this.#reason = 'stop';
      this.stopId = id;
    } else {
      this.ids.push(id);
    }
  }
}

/** The likeliest tokens of each sequence, and their probabilities. */
async function candidatesOf(live: readonly Growing[], states: States, count: number) {
  const values = await readTensor(states.scores);
  const width = states.scores.shape[1];
  const ids: number[][] = [];
  const shares: number[][] = [];
  for (const [n, { plan, start, ids: made }] of live.entries()) {
    const row = values.subarray(n * width, (n + 1) * width);
    const share = probabilities(processed(plan, row, [...start, ...made], made.length));
    const own = best([...share.keys()], count, (id) => share[id]!);
    ids.push(own);
    shares.push(own.map((id) => share[id]!));
  }
  return { ids, shares };
}

/** The model's states after each sequence. */
class States {
  readonly #model: HiddenStates;
  /** Normalised hidden states of each sequence's tokens, `[T, D]`. */
  #context: tf.Tensor2D[];
  /** Of the tokens that were read last, `[N, D]`. */
  #hidden: tf.Tensor2D;
  #scores: tf.Tensor2D;

  constructor(model: HiddenStates, prompts: readonly (readonly number[])[]) {
    this.#model = model;
    const begun = model.begin(prompts);
    const [hidden, ...context] = tf.tidy(() => {
      const last = tf.concat(begun.map((rows) => rows.slice([rows.shape[0] - 1, 0], [1, -1])));
      return [last, ...begun.map(normalised)];
    });
    tf.dispose(begun);
    this.#hidden = hidden!;
    this.#context = context;
    this.#scores = model.scores([...prompts.keys()], this.#hidden);
  }

  /** Scores of the tokens after, `[N, V]`. */
  get scores(): tf.Tensor2D {
    return this.#scores;
  }

  /** Reads several tokens in the place of each sequence's next one. @param ids as many of each sequence */
  advance(ids: readonly number[]): void {
    const each = ids.length / this.#context.length;
    this.#model.reorder(ids.map((_, row) => Math.floor(row / each)));
    this.#hidden.dispose();
    this.#hidden = this.#model.after(ids);
  }

  /** The largest cosine of each candidate with the tokens before. @param each candidates of each sequence */
  async similarities(each: number): Promise<number[][]> {
    const largest = tf.tidy(() => {
      const candidates = normalised(this.#hidden);
      const rows = this.#context.map((context, n) => {
        const own = candidates.slice([n * each, 0], [each, -1]);
        return tf.matMul(own, context, false, true).max(1); // [k]
      });
      return tf.stack(rows);
    });
    const values = await readTensor(largest);
    largest.dispose();
    return this.#context.map((_, n) => Array.from(values.slice(n * each, (n + 1) * each)));
  }

  /** Goes on from some of the tokens. @param rows of them @param sequences theirs, in order */
  keep(rows: readonly number[], sequences: readonly number[]): void {
    this.#model.reorder(rows);
    const [hidden, ...context] = tf.tidy(() => {
      const chosen = tf.gather(this.#hidden, tf.tensor1d([...rows], 'int32')) as tf.Tensor2D;
      const unit = normalised(chosen);
      const longer = sequences.map((n, i) =>
        tf.concat([this.#context[n]!, unit.slice([i, 0], [1, -1])]),
      );
      return [chosen, ...longer] as tf.Tensor2D[];
    });
    tf.dispose([this.#hidden, this.#scores, ...this.#context]);
    this.#hidden = hidden!;
    this.#context = context;
    this.#scores = this.#model.scores(rows, this.#hidden);
  }

  dispose(): void {
    tf.dispose([this.#hidden, this.#scores, ...this.#context]);
  }
}

const normalised = (x: tf.Tensor2D): tf.Tensor2D => x.div(x.norm(2, 1, true));

function checkContrastive(
  { vocabSize }: Generator,
  {
    candidates,
    penalty,
    guidanceScale = 1,
    processors = [],
    constraint,
    dolaLayers,
    speculation,
    prefixCache,
    contextShift,
  }: ContrastiveSearchOptions,
): void {
  if (!(Number.isSafeInteger(candidates) && candidates >= 2 && candidates <= vocabSize)) {
    throw new InputError(
      `candidates is ${candidates}; expected a whole number from 2 to ${vocabSize}`,
    );
  }
  if (!(penalty >= 0 && penalty <= 1)) {
    throw new InputError(`penalty is ${penalty}; expected 0 ≤ penalty ≤ 1`);
  }
  const refused = {
    guidanceScale: guidanceScale !== 1,
    processors: processors.length > 0,
    constraint: constraint !== undefined,
    dolaLayers: dolaLayers !== undefined,
    speculation: speculation !== undefined,
    prefixCache: prefixCache !== undefined,
    contextShift: contextShift !== undefined,
  };
  for (const [name, given] of Object.entries(refused)) {
    if (!given) continue;
    throw new InputError(`${name} is given for a contrastive search, which does not take it`);
  }
}
