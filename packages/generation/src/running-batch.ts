import { InputError } from '@headwise/core';
import type { CacheStorage } from '@headwise/decoding';
import * as tf from '@tensorflow/tfjs';
import { batchScoresOf, type Generator } from './batch-scores.js';
import type { GeneratedToken } from './draw.js';
import { drawAll } from './draw-rows.js';
import type { BatchScores } from './next-scores.js';
import type { GenerateOptions } from './options.js';
import type { PrefixCache } from './prefix-cache/prefix-cache.js';
import { guided } from './processors/guidance.js';
import { type BatchDetails, Growing, type RunningSequence } from './running-sequence.js';

export interface RunningBatchOptions {
  /** How keys and values of past tokens are kept: f16 takes half the memory, on WebGPU and wasm; default f32. */
  storage?: CacheStorage | undefined;
  /** Keys and values of earlier prompts, which one that begins like them does not compute again; default none. */
  prefixCache?: PrefixCache | undefined;
}

/** What a step did for one sequence: a token, the end, or both. */
export interface BatchResult {
  readonly sequence: RunningSequence;
  /** The token that was drawn; none where it is a stop id, or the sequence ended before it. */
  readonly token?: GeneratedToken | undefined;
  /** Why the sequence has ended, where it has: it has left the batch. */
  readonly reason?: NonNullable<RunningSequence['reason']> | undefined;
  /** The stop id that ended it, where one did, with its log-probability. */
  readonly stopToken?: GeneratedToken | undefined;
  /** What ended it, where the reason is `error`. */
  readonly error?: unknown;
}

/**
 * Sequences that are generated together, a token of each in one pass of the model; they join and leave between the steps.
 *
 * Each has its own options, seed and stops, and comes out as it would alone. For a decoder, or an encoder-decoder, whose prompts
 * are what the encoder reads. A sequence ends, for its length, where it fills the model's context. An exception of a sequence's
 * processor, and scores that are NaN or +∞, end that sequence alone.
 *
 * @example
 * const batch = new RunningBatch(network);
 * const first = batch.add([3, 1, 4], { maxNewTokens: 20 });
 * while (batch.size > 0) {
 *   for (const { sequence, token, reason } of await batch.step()) console.log(sequence === first, token?.id, reason);
 * }
 * batch.dispose();
 */
export class RunningBatch {
  readonly #network: Generator;
  readonly #storage: CacheStorage;
  readonly #prefixCache: PrefixCache | undefined;
  readonly #scores: BatchScores;
  /** In the order of their rows in the scores. */
  #live: Growing[] = [];
  #joining: Growing[] = [];
  readonly #removed = new WeakSet<RunningSequence>();
  #stepping = false;
  #disposed = false;

  /** @throws InputError for a prefix cache of another network */
  constructor(network: Generator, { storage = 'f32', prefixCache }: RunningBatchOptions = {}) {
    prefixCache?.check(network);
    this.#network = network;
    this.#storage = storage;
    this.#prefixCache = prefixCache;
    this.#scores = batchScoresOf(network, storage, { prefixCache });
  }

  /** The number of sequences that go on. */
  get size(): number {
    return [...this.#live, ...this.#joining].filter((one) => !this.#removed.has(one)).length;
  }

  /**
   * Adds a sequence, which joins with the next step; during a step too.
   *
   * @param prompt ids in [0, V), at least one and at most `maxLength`
   * @throws InputError for a prompt that is empty, too long or outside the vocabulary, for options out of range, another storage or
   * prefix cache than the batch's, and after `dispose`
   */
  add(
    prompt: readonly number[],
    options: GenerateOptions = {},
    details: BatchDetails = {},
  ): RunningSequence {
    this.#checkUsable('add');
    if (options.storage !== undefined && options.storage !== this.#storage) {
      throw new InputError(
        `storage is '${options.storage}' for a sequence; expected '${this.#storage}', that of its batch`,
      );
    }
    if (options.prefixCache !== undefined && options.prefixCache !== this.#prefixCache) {
      throw new InputError(
        `prefixCache is given for a sequence; expected ${this.#prefixCache ? 'that of its batch' : 'none: it is an option of the batch'}`,
      );
    }
    const sequence = new Growing(this.#network, prompt, options, details);
    this.#joining.push(sequence);
    return sequence;
  }

  /**
   * Draws a token of each sequence.
   *
   * @returns what became of each, those that have ended included
   * @throws InputError while another step runs, and after `dispose`; DeviceLostError
   */
  async step(): Promise<readonly BatchResult[]> {
    this.#checkUsable('step');
    if (this.#stepping) throw new InputError('RunningBatch: step was called during another step');
    this.#stepping = true;
    try {
      const all = [...this.#live, ...this.#joining];
      const going = all.filter((sequence) => !sequence.ended);
      this.#keep(going);
      const drawn = going.length > 0 ? await this.#draw() : [];
      return all
        .filter((sequence) => !this.#removed.has(sequence))
        .map((sequence) => resultOf(sequence, drawn[going.indexOf(sequence)]));
    } finally {
      this.#stepping = false;
      if (this.#disposed) this.#scores.dispose();
      else this.#keep([...this.#live, ...this.#joining].filter((one) => one.reason === undefined));
    }
  }

  /** Takes a sequence out and frees its place: at once, or with the end of the step that runs. Nothing where it has left already. */
  remove(sequence: RunningSequence): void {
    this.#removed.add(sequence);
    if (!this.#stepping && !this.#disposed) this.#keep([...this.#live, ...this.#joining]);
  }

  /** Frees the keys and values of all; after a step that runs. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (!this.#stepping) this.#scores.dispose();
    [this.#live, this.#joining] = [[], []];
  }

  /** Takes in what joins, and draws. */
  async #draw(): Promise<(GeneratedToken | undefined)[]> {
    const rows = this.#rows();
    try {
      return await drawAll(rows, this.#live);
    } finally {
      rows.dispose();
    }
  }

  /** The scores of every sequence, `[N, V]`; those that joined are live from here on. */
  #rows(): tf.Tensor2D {
    return tf.tidy(() => {
      const ids = this.#live.flatMap(({ ids, prompts }) => prompts.map(() => ids.at(-1)!));
      const rows = this.#scores.after(
        ids,
        this.#joining.flatMap(({ prompts }) => prompts),
        this.#joining.flatMap(({ prompts, ids }) => prompts.map(() => ids)),
      );
      this.#live = [...this.#live, ...this.#joining];
      this.#joining = [];
      if (this.#live.every(({ plan }) => !plan.guidance)) return rows;
      let first = 0;
      const row = () => rows.slice([first++, 0], [1, rows.shape[1]]);
      return tf.concat(
        this.#live.map(({ plan: { guidance } }) =>
          guidance ? guided(row(), row(), guidance.scale) : row(),
        ),
      );
    });
  }

  /** Lets all sequences but these leave, and those that were removed. */
  #keep(sequences: readonly Growing[]): void {
    const stays = (one: Growing) => sequences.includes(one) && !this.#removed.has(one);
    this.#joining = this.#joining.filter(stays);
    const before = this.#live;
    this.#live = before.filter(stays);
    if (this.#live.length === before.length) return;
    const rows = before.flatMap((one) => one.prompts.map(() => one));
    this.#scores.reorder(rows.flatMap((one, row) => (stays(one) ? [row] : [])));
  }

  #checkUsable(what: string): void {
    if (this.#disposed) throw new InputError(`RunningBatch: ${what} after it was disposed`);
  }
}

function resultOf(sequence: Growing, token: GeneratedToken | undefined): BatchResult {
  const { ended, stopToken, error } = sequence;
  return {
    sequence,
    ...(token && !stopToken ? { token } : {}),
    ...(ended ? { reason: sequence.reason! } : {}),
    ...(stopToken ? { stopToken } : {}),
    ...(error === undefined ? {} : { error }),
  };
}
