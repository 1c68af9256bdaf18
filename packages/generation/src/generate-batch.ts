import { InputError, isEncoderDecoder, Random, readTensor } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { type BatchScores, batchScoresOf, type Generator, GuidedBatch } from './batch-scores.js';
import { drawForced, drawFrom, type GeneratedToken, probabilitiesOf } from './draw.js';
import type { GenerateOptions } from './options.js';
import { checkedPlan, type Plan } from './plan.js';
import { processed } from './process-scores.js';
import { forcedIds } from './processors/forced.js';
import { runInOrder } from './processors/own.js';
import { Stopping, type StopReason } from './stop.js';
import { checkAlternatives } from './stream.js';

/** What to give beside the tokens. */
export interface BatchDetails {
  /** The number of likeliest tokens to give with each token; default 0. */
  alternatives?: number | undefined;
  /** Give the scores that each token was drawn by, `[V]`, −∞ for what is not drawn: `4 V` bytes are read a token. Default false. */
  scores?: boolean | undefined;
}

/** A sequence that was generated. */
export interface GeneratedSequence {
  /** The new tokens, without the stop id, each with its log-probability. */
  readonly tokens: readonly GeneratedToken[];
  /** For each token the scores that it was drawn by, where they were asked for. */
  readonly scores: readonly Float64Array[];
  readonly reason: StopReason;
  /** The stop id that ended it, where one did. */
  readonly stopId: number | undefined;
}

/** What `generateBatch` returns. */
export interface GeneratedBatch {
  /** In the order of the prompts. */
  readonly sequences: readonly GeneratedSequence[];
  readonly timing: {
    /** Milliseconds until the first tokens were drawn. */
    readonly prefill: number;
    /** Milliseconds from then on. */
    readonly decode: number;
  };
}

/**
 * Continues several prompts of any lengths at once; one pass of the model draws a token of each. For an encoder-decoder a
 * prompt is what the encoder reads.
 *
 * Every sequence has its own options, seed and stops, and comes out as it would alone. One that has ended leaves the batch. A
 * sequence ends, for its length, where it fills the model's context.
 *
 * @param options for all, or one for each prompt
 * @throws InputError for prompts that are empty, too long or outside the vocabulary, and for options out of range
 */
export async function generateBatch(
  network: Generator,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions | readonly GenerateOptions[] = {},
  { alternatives = 0, scores: keepsScores = false }: BatchDetails = {},
): Promise<GeneratedBatch> {
  checkAlternatives(alternatives);
  const begun = performance.now();
  const sequences = sequencesOf(network, prompts, options);
  let prefill = 0;
  let live = sequences.filter(({ ended }) => !ended);
  if (live.length === 0) return { sequences, timing: { prefill, decode: 0 } };
  const scores = scoresOf(network, live);
  try {
    for (let step = 0; live.length > 0; step++) {
      const rows = scores.after(step === 0 ? undefined : live.map(({ ids }) => ids.at(-1)!));
      try {
        const ids = await drawAll(rows, live);
        if (step === 0) prefill = performance.now() - begun;
        const tokens = await probabilitiesOf(rows, ids, alternatives);
        const values = keepsScores ? await readTensor(rows) : undefined;
        const width = network.vocabSize;
        for (const [row, sequence] of live.entries()) {
          const own = values?.subarray(row * width, (row + 1) * width);
          sequence.take(tokens[row]!, own as Float32Array | undefined);
        }
      } finally {
        rows.dispose();
      }
      await nextTask();
      live = onlyLive(live, scores);
    }
  } finally {
    scores.dispose();
  }
  return { sequences, timing: { prefill, decode: performance.now() - begun - prefill } };
}

/** A sequence of the batch while it grows. */
class Growing implements GeneratedSequence {
  readonly plan: Plan;
  readonly random: Random;
  /** What the model read before: the prompt, or an encoder's input. */
  readonly prompt: readonly number[];
  /** Prompt, or the start of a decoder's output, and new tokens. */
  readonly ids: number[];
  readonly tokens: GeneratedToken[] = [];
  readonly scores: Float64Array[] = [];
  readonly #stopping: Stopping;
  readonly #room: number;
  #reason: StopReason | undefined;
  stopId: number | undefined;

  constructor(plan: Plan, prompt: readonly number[], start: readonly number[], maxLength: number) {
    this.plan = plan;
    this.prompt = prompt;
    this.random = new Random(plan.seed);
    this.ids = [...start];
    this.#stopping = new Stopping(plan);
    // The last token needs no place in the cache.
    this.#room = maxLength + 1 - start.length;
  }

  get reason(): StopReason {
    return this.#reason!;
  }

  /** Whether it has ended, or must before the next token. */
  get ended(): boolean {
    const made = this.tokens.length;
    this.#reason ??= this.#stopping.before(made) ?? (made >= this.#room ? 'length' : undefined);
    return this.#reason !== undefined;
  }

  /** The ids that the next token has to be one of. */
  get forced(): readonly number[] | undefined {
    return forcedIds(this.plan.forced, this.ids.length, this.plan.most - this.tokens.length);
  }

  take(token: GeneratedToken, scores: Float32Array | undefined): void {
    if (this.#stopping.at(token.id)) {
      this.#reason = 'stop';
      this.stopId = token.id;
      return;
    }
    if (scores) this.scores.push(processed(this.plan, scores, this.ids, this.tokens.length));
    this.tokens.push(token);
    this.ids.push(token.id);
  }
}

function sequencesOf(
  network: Generator,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions | readonly GenerateOptions[],
): Growing[] {
  const each = Array.isArray(options) ? (options as readonly GenerateOptions[]) : undefined;
  if (each && each.length !== prompts.length) {
    throw new InputError(
      `generateBatch: ${each.length} options for ${prompts.length} prompts; expected one for each`,
    );
  }
  return prompts.map((prompt, n) => {
    const own = each ? each[n]! : (options as GenerateOptions);
    const start = isEncoderDecoder(network) ? [network.startId] : prompt;
    return new Growing(checkedPlan(network, prompt, own, start), prompt, start, network.maxLength);
  });
}

function scoresOf(network: Generator, sequences: readonly Growing[]): BatchScores {
  const storage = sequences.every(({ plan }) => plan.storage === 'f16') ? 'f16' : 'f32';
  const scores = batchScoresOf(
    network,
    sequences.map(({ prompt }) => prompt),
    storage,
  );
  if (!sequences.some(({ plan }) => plan.guidance)) return scores;
  const negative = sequences.map(({ plan, ids }) => plan.guidance?.prompt ?? ids.slice(-1));
  const scales = sequences.map(({ plan }) => plan.guidance?.scale ?? 1);
  return new GuidedBatch(scores, batchScoresOf(network, negative, storage), scales);
}

/** The sequences that go on; the others leave the batch. */
function onlyLive(live: Growing[], scores: BatchScores): Growing[] {
  const on = live.filter(({ ended }) => !ended);
  if (on.length > 0 && on.length < live.length) {
    scores.reorder(live.flatMap((sequence, n) => (on.includes(sequence) ? [n] : [])));
  }
  return on;
}

/** Draws the next token of each sequence, each with its own options and seed, and reads them at once. */
async function drawAll(rows: tf.Tensor2D, live: readonly Growing[]): Promise<number[]> {
  const drawn: tf.Tensor1D[] = [];
  try {
    for (const [n, sequence] of live.entries()) {
      const { plan, random, ids, tokens, forced } = sequence;
      if (forced) {
        drawn.push(tf.tensor1d([drawForced(forced, plan, random)], 'int32'));
        continue;
      }
      const row = tf.tidy(() => rows.slice([n, 0], [1, rows.shape[1]]));
      const own = await runInOrder(plan.processors, row, ids);
      drawn.push(drawFrom(own, plan, random, ids, tokens.length));
      tf.dispose([row, own]);
    }
    const joined = tf.concat(drawn);
    const values = await readTensor(joined);
    joined.dispose();
    return Array.from(values);
  } finally {
    tf.dispose(drawn);
  }
}
