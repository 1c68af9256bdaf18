import { currentDevice, readTensor } from '@headwise/core';
import { overwriteTensor, type Recording, recordStep } from '@headwise/kernels';
import {
  biasRow,
  type CheckedSampling,
  checkDrawn,
  markTokens,
  penalises,
  type StepScoring,
  sampleStep,
  sizesOf,
  stateHeader,
} from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { kept } from '../cache/kept.js';
import type { KeyValueCache } from '../cache/key-value-cache.js';
import { stepLogits } from './logits.js';
import type { StepPlan } from './plan.js';
import { runAheadFor } from './run-ahead.js';

/** The most tokens that can be drawn before the first of them is read. */
export const mostAhead = 32;

/** Milliseconds that a reading takes on an idle device. */
const latencies = new WeakMap<GPUDevice, number>();

/** The most tokens in one submission: drivers reset a GPU that is busy with one for seconds. */
const mostAtOnce = 8;

/** Tokens for which room is made at once. */
const roomAhead = 512;

export interface StepLoopOptions {
  /** How tokens are drawn. */
  sampling: CheckedSampling;
  /** The most tokens that a sequence will have. */
  maxLength: number;
  /** Changes the scores before tokens are drawn, in operations that can be recorded: `[1, V] → [1, V]`. Default none. */
  process?: ((logits: tf.Tensor2D) => tf.Tensor2D) | undefined;
}

/** A token to process. */
export interface StepToken {
  id: number;
  /** The number of tokens before it, which the cache holds. */
  position: number;
}

/** What sampling changes in the scores of single tokens. The same in every call, but for the history and what is allowed. */
export interface DrawTokens {
  /** The ids that penalties are for. */
  history: readonly number[];
  /** The ids that `encoderRepetitionPenalty` is for. */
  source?: readonly number[] | undefined;
  /** The ids that are never drawn. */
  banned?: ReadonlySet<number> | undefined;
  /** Added to scores, by id. */
  bias?: ReadonlyMap<number, number> | undefined;
  /** Bits of the ids that may be drawn, 32 a word; may differ from call to call, and is for all tokens of a call. */
  allowed?: Int32Array | undefined;
}

/** What a recorded step returns, and what it was recorded with. */
interface Recorded {
  recording: Recording<{ logits: tf.Tensor2D }>;
  /** What it was given, which goes with it. */
  marks: tf.Tensor | undefined;
  bias?: tf.Tensor2D | undefined;
  allowed?: tf.Tensor2D | undefined;
  /** Tokens that the marks count, where it draws with marks. */
  counted: number;
}

/**
 * A decoder's token step, recorded once and replayed for each token.
 *
 * It writes into a key-value cache that the ordinary layers can have filled. The id that a step draws is written where the
 * next one reads it, so that several run ahead of one read-back. On WebGPU only.
 */
export class StepLoop {
  readonly #plan: StepPlan;
  readonly #cache: KeyValueCache;
  readonly #options: StepLoopOptions;
  readonly #state: tf.Tensor1D;
  readonly #drawn: tf.Tensor1D;
  #turn: StepScoring['turn'];
  /** Tokens that the recordings have room for. */
  #room = 0;
  #ahead: number | undefined;
  #drawing: Recorded | undefined;
  #scoring: Recorded | undefined;

  /** @param cache holds one sequence, or nothing; both it and the plan stay the caller's */
  constructor(plan: StepPlan, cache: KeyValueCache, options: StepLoopOptions) {
    this.#plan = plan;
    this.#cache = cache;
    this.#options = options;
    this.#state = kept(() => tf.zeros<tf.Rank.R1>([stateHeader + mostAhead], 'int32'));
    this.#drawn = kept(() => tf.zeros<tf.Rank.R1>([mostAhead], 'int32'));
  }

  /** Dispatches of one recorded step; 0 before the first. */
  get dispatches(): number {
    return (this.#drawing ?? this.#scoring)?.recording.dispatches ?? 0;
  }

  /**
   * Draws tokens one after the other, each from the scores after the one before.
   *
   * @param token the first to process
   * @param seeds one for each token to draw, at most 32
   * @returns the drawn ids
   * @throws InputError where a token cannot be drawn, DeviceLostError
   */
  async draw(token: StepToken, seeds: readonly number[], tokens: DrawTokens): Promise<number[]> {
    this.#makeRoom(token.position, seeds.length);
    overwriteTensor(this.#state, stateOf(token, seeds));
    const { history, allowed } = tokens;
    const marked = penalises(this.#options.sampling);
    if (this.#drawing && marked && this.#drawing.counted !== history.length) this.#forgetDrawing();
    if (this.#drawing && !this.#drawing.allowed !== !allowed) this.#forgetDrawing();
    if (allowed && this.#drawing) overwriteTensor(this.#drawing.allowed!, allowed);
    let replays = seeds.length;
    if (!this.#drawing) {
      this.#drawing = this.#recordDrawing(tokens);
      // The recorded run was the first.
      replays--;
    }
    const { recording } = this.#drawing;
    const begun = performance.now();
    for (let left = replays; left > 0; left -= mostAtOnce) {
      recording.replay(Math.min(left, mostAtOnce));
    }
    this.#cache.advance(seeds.length);
    const values = await readTensor(this.#drawn);
    const ms = performance.now() - begun;
    const all = Array.from(values.subarray(0, seeds.length));
    const bad = all.findIndex((id) => id < 0);
    checkDrawn('sampleTokens', bad === 0 ? all.slice(0, 1) : [], recording.outputs.logits.shape[1]);
    // Tokens after one that could not be drawn have no meaning; the next call draws from the same scores and throws.
    const ids = bad < 0 ? all : all.slice(0, bad);
    if (bad > 0) this.#cache.trim(token.position + bad);
    this.#drawing.counted = bad < 0 ? history.length + ids.length : -1;
    if (this.#ahead === undefined && replays === seeds.length) {
      this.#ahead = await this.#measureAhead(ms / seeds.length, values as Int32Array);
    }
    return ids;
  }

  /** The number of tokens that should be drawn before one reading; 1 until it was measured with the first replays. */
  get runAhead(): number {
    return this.#ahead ?? 1;
  }

  /** @param tokenMs the time of a token and its reading @param drawn the last reading */
  async #measureAhead(tokenMs: number, drawn: Int32Array): Promise<number> {
    const device = currentDevice()!.gpu;
    let latency = latencies.get(device);
    if (latency === undefined) {
      overwriteTensor(this.#drawn, drawn);
      const begun = performance.now();
      await readTensor(this.#drawn);
      latency = performance.now() - begun;
      latencies.set(device, latency);
    }
    return runAheadFor(tokenMs - latency, latency, mostAhead);
  }

  /**
   * The scores after one token.
   *
   * @returns `[1, V]`, which the next call overwrites; the loop disposes it
   */
  logits(token: StepToken): tf.Tensor2D {
    this.#makeRoom(token.position, 1);
    overwriteTensor(this.#state, stateOf(token, []));
    if (this.#scoring) this.#scoring.recording.replay();
    else {
      const recording = recordStep(() => ({ logits: this.#step() }));
      this.#scoring = { recording, marks: undefined, counted: 0 };
    }
    this.#cache.advance(1);
    return this.#scoring.recording.outputs.logits;
  }

  /** Frees the recordings and all that the loop made. */
  dispose(): void {
    this.#forget();
    tf.dispose([this.#state, this.#drawn]);
  }

  #step(): tf.Tensor2D {
    const logits = stepLogits(this.#plan, {
      state: this.#state,
      rowsOf: (path) => this.#cache.rowsOf(path),
      turn: this.#turn,
    });
    return this.#options.process?.(logits) ?? logits;
  }

  #recordDrawing({
    history,
    source = [],
    banned = new Set(),
    bias,
    allowed,
  }: DrawTokens): Recorded {
    const { sampling } = this.#options;
    const [state, drawn] = [this.#state, this.#drawn];
    const vocabulary = this.#plan.head.weights.reduce((sum, w) => sum + sizesOf(w)[1], 0);
    const lists = {
      history: penalises(sampling) ? history : [],
      source: sampling.encoderRepetitionPenalty === 1 ? [] : source,
      banned: [...banned],
    };
    const biases = bias && bias.size > 0 ? kept(() => biasRow(bias, vocabulary)) : undefined;
    const needsMarks = biases || Object.values(lists).some(({ length }) => length > 0);
    const marks = needsMarks
      ? kept(() => {
          const given = Object.entries(lists).filter(([, { length }]) => length > 0);
          const tokens = Object.fromEntries(given.map(([name, ids]) => [name, listed(ids)]));
          return markTokens(tokens, 1, vocabulary);
        })
      : undefined;
    const mask = allowed && kept(() => tf.tensor2d(allowed, [1, allowed.length], 'int32'));
    const recording = recordStep(() => {
      const logits = this.#step();
      sampleStep(logits, { state, drawn, marks, bias: biases, allowed: mask }, sampling);
      return { logits };
    });
    return { recording, marks, bias: biases, allowed: mask, counted: history.length };
  }

  /** Makes room in the cache for tokens after a position, and forgets recordings that wrote into less. */
  #makeRoom(position: number, count: number): void {
    if (position + count <= this.#room) return;
    const { maxLength } = this.#options;
    const wanted = Math.max(position + count, Math.min(maxLength, position + roomAhead));
    this.#forget();
    const rooms = this.#plan.layers.map(({ path, kvHeads, scoring }) =>
      this.#cache.reserve(path, { heads: kvHeads, headDim: scoring.headDim, tokens: wanted }),
    );
    this.#room = Math.min(...rooms);
    const { rotary } = this.#plan;
    if (!rotary) return;
    const { cos, sin, pairs } = rotary.table(this.#room);
    const table = (values: Float32Array) =>
      kept(() => tf.tensor2d(values, [values.length / pairs, pairs]));
    this.#turn = { cos: table(cos), sin: table(sin), layout: rotary.layout };
  }

  #forgetDrawing(): void {
    this.#drawing?.recording.dispose();
    this.#drawing?.marks?.dispose();
    this.#drawing?.bias?.dispose();
    this.#drawing?.allowed?.dispose();
    this.#drawing = undefined;
  }

  #forget(): void {
    this.#forgetDrawing();
    this.#scoring?.recording.dispose();
    this.#scoring = undefined;
    if (this.#turn) tf.dispose([this.#turn.cos, this.#turn.sin]);
    this.#turn = undefined;
  }
}

const stateOf = ({ id, position }: StepToken, seeds: readonly number[]): Int32Array => {
  const values = new Int32Array(stateHeader + mostAhead);
  values.set([position, id, 0, ...seeds]);
  return values;
};

/** Ids as a list for penalties, `[1, N]`. */
const listed = (ids: readonly number[]): tf.Tensor2D =>
  tf.tensor2d([...ids], [1, ids.length], 'int32');
