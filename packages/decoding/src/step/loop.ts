import { currentDevice, readTensor } from '@headwise/core';
import { overwriteTensor, recordStep } from '@headwise/kernels';
import {
  type CheckedSampling,
  checkDrawn,
  fewRows,
  penalises,
  type StepScoring,
  type StepState,
} from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { kept } from '../cache/kept.js';
import type { KeyValueCache } from '../cache/key-value-cache.js';
import {
  type Drawing,
  type DrawTokens,
  freeDrawing,
  mostAhead,
  recordDrawing,
  type Scoring,
} from './drawing.js';
import { stepLogits } from './logits.js';
import type { StepPlan } from './plan.js';
import { runAheadFor } from './run-ahead.js';
import { rowsFor, type StepToken, stateOf, stateTensor } from './state.js';

/** Milliseconds that a reading takes on an idle device. */
const latencies = new WeakMap<GPUDevice, number>();

/** The most tokens in one submission: drivers reset a GPU that is busy with one for seconds. */
const mostAtOnce = 8;

/** Tokens for which room is made at once, of all sequences together; at least `leastAhead` of each. */
const roomAhead = 512;
const leastAhead = 64;

export interface StepLoopOptions {
  /** How tokens are drawn. */
  sampling: CheckedSampling;
  /** The most tokens that a sequence will have. */
  maxLength: number;
  /** Changes the scores before tokens are drawn, in operations that can be recorded: `[1, V] → [1, V]`. Default none. */
  process?: ((logits: tf.Tensor2D) => tf.Tensor2D) | undefined;
}

/**
 * A decoder's token step, recorded once and replayed for each token; for several tokens at once too, of one sequence or of several.
 *
 * It writes into a key-value cache that the ordinary layers can have filled. The id that a step draws is written where the
 * next one reads it, so that several run ahead of one read-back. On WebGPU only.
 */
export class StepLoop {
  readonly #plan: StepPlan;
  readonly #cache: KeyValueCache;
  readonly #options: StepLoopOptions;
  #turns: NonNullable<StepScoring['turn']>[] = [];
  /** Tokens of a sequence, and sequences, that the recordings have room for. */
  #room = { tokens: 0, sequences: 0 };
  #ahead: number | undefined;
  #drawing: Drawing | undefined;
  /** By the number of rows. */
  readonly #scoring = new Map<number, Scoring>();
  /** Scores of the last call that are not a recording's own. */
  #scores: tf.Tensor2D | undefined;

  /** @param cache both it and the plan stay the caller's */
  constructor(plan: StepPlan, cache: KeyValueCache, options: StepLoopOptions) {
    this.#plan = plan;
    this.#cache = cache;
    this.#options = options;
  }

  /** Dispatches of one recorded step of a token; 0 before the first. */
  get dispatches(): number {
    return (this.#drawing ?? this.#scoring.get(1))?.recording.dispatches ?? 0;
  }

  /**
   * Draws tokens of one sequence one after the other, each from the scores after the one before.
   *
   * @param token the first to process
   * @param seeds one for each token to draw, at most 32
   * @returns the drawn ids
   * @throws InputError where a token cannot be drawn, DeviceLostError
   */
  async draw(token: StepToken, seeds: readonly number[], tokens: DrawTokens): Promise<number[]> {
    const replays = this.#begin(token, seeds, tokens);
    const drawing = this.#drawing!;
    const { recording, drawn } = drawing;
    const begun = performance.now();
    for (let left = replays; left > 0; left -= mostAtOnce) {
      recording.replay(Math.min(left, mostAtOnce));
    }
    this.#count([token], seeds.length);
    const read = await readTensor(drawn);
    const ms = performance.now() - begun;
    const all = Array.from(read.subarray(0, seeds.length));
    const bad = all.findIndex((id) => id < 0);
    checkDrawn('sampleTokens', bad === 0 ? all.slice(0, 1) : [], recording.outputs.logits.shape[1]);
    // Tokens after one that could not be drawn have no meaning; the next call draws from the same scores and throws.
    const ids = bad < 0 ? all : all.slice(0, bad);
    if (bad > 0) this.#cache.trim(token.position + bad);
    drawing.counted = bad < 0 ? tokens.history.length + ids.length : -1;
    if (this.#ahead === undefined && replays === seeds.length) {
      this.#ahead = await this.#measureAhead(drawn, ms / seeds.length, read as Int32Array);
    }
    return ids;
  }

  /** Records the step that draws after a token, for its programs: within the step of `compilePipelines`. */
  rehearse(token: StepToken, tokens: DrawTokens): void {
    this.#begin(token, [0], tokens);
  }

  /**
   * Writes the state that draws start from, and records the step where it is not recorded.
   *
   * @returns how many replays are left for a token of each seed
   */
  #begin(token: StepToken, seeds: readonly number[], tokens: DrawTokens): number {
    this.#makeRoom([token], seeds.length);
    const { history, allowed } = tokens;
    const { sampling } = this.#options;
    const marked = penalises(sampling);
    if (this.#drawing && marked && this.#drawing.counted !== history.length) this.#forgetDrawing();
    if (this.#drawing && !this.#drawing.allowed !== !allowed) this.#forgetDrawing();
    if (allowed && this.#drawing) overwriteTensor(this.#drawing.allowed!, allowed);
    const values = stateOf([token], mostAhead, seeds);
    if (this.#drawing) {
      overwriteTensor(this.#drawing.state, values);
      return seeds.length;
    }
    const { head } = this.#plan;
    const step = (state: StepState) => this.#step(state);
    this.#drawing = recordDrawing({ head, sampling, step }, values, tokens);
    // The recorded run was the first.
    return seeds.length - 1;
  }

  /** The number of tokens that should be drawn before one reading; 1 until it was measured with the first replays. */
  get runAhead(): number {
    return this.#ahead ?? 1;
  }

  /** @param tokenMs the time of a token and its reading @param values the last reading of what was drawn */
  async #measureAhead(drawn: tf.Tensor2D, tokenMs: number, values: Int32Array): Promise<number> {
    const device = currentDevice()!.gpu;
    let latency = latencies.get(device);
    if (latency === undefined) {
      overwriteTensor(drawn, values);
      const begun = performance.now();
      await readTensor(drawn);
      latency = performance.now() - begun;
      latencies.set(device, latency);
    }
    return runAheadFor(tokenMs - latency, latency, mostAhead);
  }

  /**
   * The scores after each of some tokens, in one step, or in several of eight tokens.
   *
   * Tokens may be of several sequences, and successive ones of the same sequence, which see each other: so draft tokens are verified.
   * Those that turn out wrong are forgotten by `trim` of the cache.
   *
   * @param tokens at least one; of one sequence in the order of their positions
   * @returns `[N, V]`, which the next call overwrites or disposes
   */
  logits(tokens: readonly StepToken[]): tf.Tensor2D {
    this.#makeRoom(tokens, 1);
    this.#scores?.dispose();
    this.#scores = undefined;
    if (tokens.length === rowsFor(tokens.length)) {
      const scores = this.#score(tokens);
      this.#count(tokens, 1);
      return scores;
    }
    this.#scores = kept(() => {
      const parts: tf.Tensor2D[] = [];
      for (let first = 0; first < tokens.length; first += fewRows) {
        const some = tokens.slice(first, first + fewRows);
        // A copy: the next part overwrites the recording's own.
        parts.push(this.#score(some).slice([0, 0], [some.length, -1]));
      }
      return tf.concat(parts);
    });
    this.#count(tokens, 1);
    return this.#scores;
  }

  /** Frees the recordings and all that the loop made. */
  dispose(): void {
    this.#forget();
    this.#scores?.dispose();
    this.#scores = undefined;
  }

  /** The scores after at most eight tokens, and of rows behind them without a sequence. */
  #score(tokens: readonly StepToken[]): tf.Tensor2D {
    const rows = rowsFor(tokens.length);
    const values = stateOf(tokens, 0, []);
    let scoring = this.#scoring.get(rows);
    if (scoring) {
      overwriteTensor(scoring.state, values);
      scoring.recording.replay();
    } else {
      const state = stateTensor(rows, values);
      scoring = { state, recording: recordStep(() => ({ logits: this.#step(state) })) };
      this.#scoring.set(rows, scoring);
    }
    return scoring.recording.outputs.logits;
  }

  /** Counts the tokens that were written into the cache. */
  #count(tokens: readonly StepToken[], each: number): void {
    const counts = this.#cache.starts.map(() => 0);
    for (const { place = 0 } of tokens) counts[place]! += each;
    this.#cache.advance(counts);
  }

  #step(state: StepState): tf.Tensor2D {
    const logits = stepLogits(this.#plan, {
      state,
      rowsOf: (path) => this.#cache.rowsOf(path),
      turns: this.#turns,
    });
    return this.#options.process?.(logits) ?? logits;
  }

  /** Makes room in the cache for tokens and those drawn after them; recordings that wrote into less are forgotten. */
  #makeRoom(tokens: readonly StepToken[], count: number): void {
    const end = Math.max(...tokens.map(({ position }) => position)) + count;
    this.reserve(end, Math.max(...tokens.map(({ place = 0 }) => place)) + 1, count);
  }

  /**
   * Makes room in the cache, so that sequences can be put into it; steps make room by themselves.
   *
   * @param end the tokens of the longest sequence @param sequences a number that is rounded up to a power of two
   */
  reserve(end: number, sequences: number, count = 0): void {
    const { maxLength } = this.#options;
    if (end <= this.#room.tokens && sequences <= this.#room.sequences) return;
    this.#forget();
    const places = Math.max(this.#room.sequences, 2 ** Math.ceil(Math.log2(sequences)));
    const ahead = Math.max(leastAhead, roomAhead / places);
    const wanted = Math.max(end, Math.min(maxLength, end - count + ahead));
    const room = {
      tokens: end <= this.#room.tokens ? this.#room.tokens : wanted,
      sequences: places,
    };
    const rooms = this.#plan.layers.map(({ path, kvHeads, scoring: { headDim } }) =>
      this.#cache.reserve(path, { heads: kvHeads, headDim, ...room }),
    );
    this.#room = { ...room, tokens: Math.min(...rooms) };
    this.#turns = (this.#plan.rotary ?? []).map(({ layout, table: rowsUpTo }) => {
      const { cos, sin, pairs } = rowsUpTo(this.#room.tokens);
      const table = (values: Float32Array) =>
        kept(() => tf.tensor2d(values, [values.length / pairs, pairs]));
      return { cos: table(cos), sin: table(sin), layout };
    });
  }

  #forgetDrawing(): void {
    if (!this.#drawing) return;
    freeDrawing(this.#drawing);
    this.#drawing = undefined;
  }

  #forget(): void {
    this.#forgetDrawing();
    for (const { recording, state } of this.#scoring.values()) {
      recording.dispose();
      state.dispose();
    }
    this.#scoring.clear();
    tf.dispose(this.#turns.flatMap(({ cos, sin }) => [cos, sin]));
    this.#turns = [];
  }
}
