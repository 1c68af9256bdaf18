import { InputError, type LanguageModel, readTensor } from '@headwise/core';
import { hashText } from '@headwise/core/internal';
import { collatedBatches, completions } from '@headwise/data';
import { type GeneratedSequence, generateBatch } from '@headwise/generation';
import type { Tokenizer } from '@headwise/tokenizers';
import {
  type BatchState,
  groupAdvantages,
  type KeptBatches,
  type RewardedBatch,
  type TokenBatch,
  tokenLogProbabilities,
} from '@headwise/training';
import { restoreRound, saveRound } from './round.js';

/** What the model wrote after a prompt. */
export interface WrittenCompletion {
  /** Without the token that ended it. */
  readonly text: string;
  readonly ids: readonly number[];
  /** Whether the model ended it; it was cut at `maxNewTokens` otherwise. */
  readonly ended: boolean;
}

/** How good a completion of a prompt is; P is what is known of the prompt, such as its answer. */
export type Reward<P> = (completion: WrittenCompletion, prompt: P) => number | Promise<number>;

/** A text that the model continues, with whatever its rewards need to know. */
export interface RewardedPrompt {
  readonly prompt: string;
}

export interface RolloutOptions<P extends RewardedPrompt> {
  tokenizer: Pick<Tokenizer, 'encode' | 'decode'>;
  prompts: readonly P[];
  /** By name; a completion's reward is their sum. */
  rewards: Readonly<Record<string, Reward<P>>>;
  /** Prompts of a batch; default 8. */
  groups?: number | undefined;
  /** Completions of each prompt, which are compared with each other; default 8. */
  size?: number | undefined;
  /** Tokens of a completion, its end included; default 64. */
  maxNewTokens?: number | undefined;
  /** The token that ends a completion; default none. */
  endId?: number | undefined;
  /** Whether the tokenizer adds its special tokens to prompts; default true. */
  addSpecialTokens?: boolean | undefined;
  /** The model that a divergence is measured from: `groupRelativePolicy` with `beta` needs it. */
  reference?: LanguageModel | undefined;
  /** Updates that are made of the same completions; default 1. */
  updates?: number | undefined;
  /** Batches of an update, as `train` has it; default 1. */
  accumulate?: number | undefined;
  /** Of the order of prompts and of sampling; default 0. */
  seed?: number | undefined;
}

/**
 * Batches of completions that a model writes while it is trained, with their advantages within each prompt's group: the data of
 * `groupRelativePolicy`.
 *
 * Completions are drawn from the model's own distribution (temperature 1). Batch `n` depends on the parameters at the first update of its round,
 * the seed and `n` alone; a checkpoint within a round holds its completions.
 *
 * @see Shao et al. 2024, https://arxiv.org/abs/2402.03300
 * @example
 * const rewards = { right: ({ text }, { answer }) => Number(text === answer) };
 * const batches = new Rollouts(network, { tokenizer, prompts, rewards, endId, maxNewTokens: 4 });
 * const objective = groupRelativePolicy(network);
 * for await (const { measures } of train({ objective, params, optimizer, schedule, batches, steps })) {
 *   console.log(measures.reward);
 * }
 */
export class Rollouts<P extends RewardedPrompt> implements KeptBatches {
  readonly #network: LanguageModel;
  readonly #options: RolloutOptions<P>;
  readonly #size: number;
  readonly #updates: number;
  readonly #accumulate: number;
  readonly #chosen: ReturnType<typeof collatedBatches<P, { rows: readonly P[] }>>;
  /** The batches of this round, by their number within all rounds. */
  #held = new Map<number, RewardedBatch>();

  /** @throws InputError or DataError for options out of range, and without prompts or rewards */
  constructor(network: LanguageModel, options: RolloutOptions<P>) {
    const { prompts, rewards, groups = 8, size = 8, seed = 0 } = options;
    const { updates = 1, accumulate = 1 } = options;
    for (const [name, value, least] of [
      ['groups', groups, 1],
      ['size', size, 2],
      ['updates', updates, 1],
      ['accumulate', accumulate, 1],
    ] as const) {
      if (Number.isSafeInteger(value) && value >= least) continue;
      throw new InputError(
        `rollouts: ${name} is ${value}; expected a whole number of at least ${least}`,
      );
    }
    if (Object.keys(rewards).length === 0) {
      throw new InputError('rollouts: there are no rewards; expected at least one');
    }
    this.#network = network;
    this.#options = options;
    this.#size = size;
    this.#updates = updates;
    this.#accumulate = accumulate;
    this.#chosen = collatedBatches(prompts, (rows) => ({ rows }), { batchSize: groups, seed });
  }

  /**
   * The completions of a batch: written by the model as it is now, or before the first update of its round.
   *
   * @throws InputError for a reward that is not finite, and for a later update of a round whose completions were not restored
   */
  async at(number: number): Promise<RewardedBatch> {
    const step = Math.floor(number / this.#accumulate);
    const round = Math.floor(step / this.#updates);
    const first = round * this.#accumulate;
    const wanted = first + (number % this.#accumulate);
    const held = this.#held.get(wanted);
    if (held) return held;
    if (step % this.#updates !== 0) {
      throw new InputError(
        `rollouts: batch ${number} is for update ${(step % this.#updates) + 1} of ${this.#updates} of round ${round}, whose completions were not kept; expected to go on at the first, or from a state that holds them`,
      );
    }
    for (const earlier of this.#held.keys()) if (earlier < first) this.#held.delete(earlier);
    const made = await this.#write(wanted);
    if (this.#updates > 1) this.#held.set(wanted, made);
    return made;
  }

  /** The completions of this round, where later updates learn from them again. */
  save(): BatchState | undefined {
    return this.#held.size === 0 ? undefined : saveRound(this.#held);
  }

  restore(saved: BatchState): void {
    this.#held = restoreRound(saved);
  }

  async #write(number: number): Promise<RewardedBatch> {
    const { tokenizer, reference, addSpecialTokens = true } = this.#options;
    const size = this.#size;
    const { rows, examples } = this.#chosen.at(number);
    const asked = rows.flatMap((row) => {
      const encoding = { addSpecialTokens, truncation: null, padding: null };
      const { ids } = tokenizer.encode(row.prompt, encoding);
      return Array.from({ length: size }, () => ({ row, ids }));
    });
    const written = await this.#generate(
      number,
      asked.map(({ ids }) => ids),
    );
    const scored = await this.#score(
      asked.map(({ row }) => row),
      written,
    );
    const rewards = scored.map((parts) => sum(Object.values(parts)));
    const batch = completions()(
      asked.map(({ ids }, n) => ({ prompt: ids, completion: withEnd(written[n]!) })),
    );
    return {
      ...batch,
      advantages: groupAdvantages(rewards, size),
      examples: examples.flatMap((example) => asked.slice(0, size).map(() => example)),
      measures: measuresOf(rewards, scored, written),
      ...(this.#updates > 1 ? { written: await read(this.#network, batch) } : {}),
      ...(reference ? { reference: await read(reference, batch) } : {}),
    };
  }

  async #generate(number: number, prompts: number[][]): Promise<readonly GeneratedSequence[]> {
    const { maxNewTokens = 64, endId, seed = 0 } = this.#options;
    const options = prompts.map((_, row) => ({
      maxNewTokens,
      ...(endId === undefined ? {} : { stopIds: [endId] }),
      seed: hashText(`rollouts/${seed}/${number}/${row}`),
    }));
    const { sequences } = await generateBatch(this.#network, prompts, options);
    const failed = sequences.find(({ reason }) => reason === 'error');
    if (failed) throw failed.error;
    return sequences;
  }

  /** The rewards of each completion, by name. */
  #score(prompts: readonly P[], written: readonly GeneratedSequence[]) {
    const { tokenizer, rewards } = this.#options;
    return Promise.all(
      written.map(async ({ tokens, reason }, n) => {
        const ids = tokens.map(({ id }) => id);
        const completion = { text: tokenizer.decode(ids), ids, ended: reason === 'stop' };
        const parts: Record<string, number> = {};
        for (const [name, reward] of Object.entries(rewards)) {
          const value = await reward(completion, prompts[n]!);
          if (!Number.isFinite(value)) {
            throw new InputError(
              `rollouts: reward '${name}' of ${JSON.stringify(completion.text)} after ${JSON.stringify(prompts[n]!.prompt)} is ${value}; expected a finite number`,
            );
          }
          parts[name] = value;
        }
        return parts;
      }),
    );
  }
}

/** The tokens that are learned: those of a completion and the one that ended it. */
const withEnd = ({ tokens, stopId }: GeneratedSequence): number[] => [
  ...tokens.map(({ id }) => id),
  ...(stopId === undefined ? [] : [stopId]),
];

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

/** Means over the completions of a batch. */
function measuresOf(
  rewards: readonly number[],
  scored: readonly Readonly<Record<string, number>>[],
  written: readonly GeneratedSequence[],
): Record<string, number> {
  const mean = (values: readonly number[]) => sum(values) / values.length;
  const names = Object.keys(scored[0]!);
  const parts = names.map((name) => [`reward/${name}`, mean(scored.map((one) => one[name]!))]);
  return {
    reward: mean(rewards),
    ...(names.length > 1 ? Object.fromEntries(parts) : {}),
    completionTokens: mean(written.map((one) => withEnd(one).length)),
    ended: mean(written.map(({ reason }) => Number(reason === 'stop'))),
  };
}

/** The log-probability of each target, `[B, T]`. */
async function read(network: LanguageModel, batch: TokenBatch): Promise<Float32Array> {
  const values = tokenLogProbabilities(network, batch);
  try {
    return (await readTensor(values)) as Float32Array;
  } finally {
    values.dispose();
  }
}
