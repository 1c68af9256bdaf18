import type { LanguageModel } from '@headwise/core';
import {
  type DrawTokens,
  endScores,
  KeyValueCache,
  mostAhead,
  StepLoop,
  type StepLoopOptions,
  type StepPlan,
  type StepToken,
} from '@headwise/decoding';
import * as tf from '@tensorflow/tfjs';
import { Context } from './context-shift.js';
import type { CheckedScores } from './next-scores.js';
import type { CacheOptions } from './plan.js';
import { prefilled } from './prefix-cache/prefill.js';
import type { PrefixCache } from './prefix-cache/prefix-cache.js';

/**
 * Scores by a model's fused step, which draws tokens too. Its layers process the prompt, and give the scores after it.
 */
export class StepScores implements CheckedScores {
  readonly #network: LanguageModel;
  readonly #step: StepPlan;
  readonly #prefixCache: PrefixCache | undefined;
  readonly #cache: KeyValueCache;
  readonly #loop: StepLoop;
  readonly #context: Context;
  readonly #process: StepLoopOptions['process'];
  /** Those of the last call that the layers gave. */
  #scores: tf.Tensor2D | undefined;

  /** @param step disposed with this @param options of the loop; `maxLength` of prompt and new tokens */
  constructor(
    network: LanguageModel,
    step: StepPlan,
    { storage, prefixCache, contextShift }: CacheOptions,
    options: StepLoopOptions,
  ) {
    this.#network = network;
    this.#step = step;
    this.#prefixCache = prefixCache;
    this.#cache = new KeyValueCache({ storage });
    this.#context = new Context(network.maxLength, contextShift);
    this.#process = options.process;
    const maxLength = Math.min(this.#context.size, options.maxLength);
    this.#loop = new StepLoop(step, this.#cache, { ...options, maxLength });
  }

  after(sequence: readonly number[]): tf.Tensor2D {
    return this.afterEach(sequence, 1);
  }

  afterEach(sequence: readonly number[], count: number): tf.Tensor2D {
    this.#scores?.dispose();
    this.#scores = undefined;
    if (this.#shifted(sequence).length > count) {
      this.#scores = this.#processed(sequence, count);
      return this.#scores;
    }
    const position = this.#context.lengthOf(sequence.length) - count;
    const ids = sequence.slice(sequence.length - count);
    return this.#loop.logits(ids.map((id, i) => ({ id, position: position + i })));
  }

  /** Whether all tokens of a sequence but the last are in the cache, so that the step can draw the next one. */
  isReady(sequence: readonly number[]): boolean {
    return this.#shifted(sequence).length === 1;
  }

  room(sequence: readonly number[]): number {
    return this.#context.room(sequence.length);
  }

  keep(length: number): void {
    if (this.#cache.length > 0) this.#cache.trim(this.#context.lengthOf(length));
  }

  /**
   * Draws tokens after a sequence that the step is ready for.
   *
   * @param count the most tokens to draw @param runAhead default as measured
   * @param nextSeed of a token
   */
  draw(
    sequence: readonly number[],
    tokens: Omit<DrawTokens, 'history'>,
    {
      count,
      runAhead = this.#loop.runAhead,
      nextSeed,
    }: { count: number; runAhead: number | undefined; nextSeed: () => number },
  ): Promise<readonly number[]> {
    const token = this.#last(sequence);
    const room = this.#context.size - token.position;
    const length = Math.min(runAhead, mostAhead, count, room);
    const seeds = Array.from({ length }, nextSeed);
    return this.#loop.draw(token, seeds, { ...tokens, history: sequence });
  }

  /** Records the step that draws after a sequence, for its programs: within the step of `compilePipelines`. */
  rehearse(sequence: readonly number[], tokens: Omit<DrawTokens, 'history'>): void {
    this.#loop.rehearse(this.#last(sequence), { ...tokens, history: sequence });
  }

  dispose(): void {
    this.#scores?.dispose();
    this.#loop.dispose();
    this.#cache.dispose();
    this.#step.dispose();
  }

  /** The last token of a sequence, for the step. */
  #last(sequence: readonly number[]): StepToken {
    return { id: sequence.at(-1)!, position: this.#context.lengthOf(sequence.length) - 1 };
  }

  /** The tokens of a sequence that the cache does not have, after old ones have left a full context. */
  #shifted(sequence: readonly number[]): readonly number[] {
    if (this.#context.shift(sequence.length)) this.#cache.trim(0);
    return this.#context.after(this.#cache.length, sequence);
  }

  /** Puts all tokens of a sequence into the cache by the model's layers; the scores after the last `count`, the caller's. */
  #processed(sequence: readonly number[], count: number): tf.Tensor2D {
    const isPrompt = this.#context.whole && this.#cache.length === 0;
    // Room for what is drawn afterwards too: growing would copy the prompt's keys and values.
    this.#loop.reserve(this.#context.lengthOf(sequence.length), 1);
    const scores = prefilled(
      isPrompt ? this.#prefixCache : undefined,
      this.#network,
      [this.#shifted(sequence)],
      this.#cache,
      ([rest], cache) =>
        tf.tidy(() => {
          const ids = tf.tensor2d([...rest!], [1, rest!.length], 'int32');
          return endScores(this.#network, ids, { cache }, count);
        }),
      count,
    );
    const process = this.#process;
    if (!process) return scores;
    try {
      return tf.tidy(() => process(scores).clone());
    } finally {
      scores.dispose();
    }
  }
}
