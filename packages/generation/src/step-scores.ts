import type { LanguageModel } from '@headwise/core';
import {
  type DrawTokens,
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

/** Scores by a model's fused step, after its layers have processed the prompt; the step draws tokens too. */
export class StepScores implements CheckedScores {
  readonly #network: LanguageModel;
  readonly #step: StepPlan;
  readonly #prefixCache: PrefixCache | undefined;
  readonly #cache: KeyValueCache;
  readonly #loop: StepLoop;
  readonly #context: Context;

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
    const maxLength = Math.min(this.#context.size, options.maxLength);
    this.#loop = new StepLoop(step, this.#cache, { ...options, maxLength });
  }

  after(sequence: readonly number[]): tf.Tensor2D {
    return this.#loop.logits([this.#prepare(sequence)]);
  }

  afterEach(sequence: readonly number[], count: number): tf.Tensor2D {
    const first = sequence.length - count;
    const { position } = this.#prepare(sequence.slice(0, first + 1));
    const ids = sequence.slice(first);
    return this.#loop.logits(ids.map((id, i) => ({ id, position: position + i })));
  }

  room(sequence: readonly number[]): number {
    return this.#context.room(sequence.length);
  }

  keep(length: number): void {
    if (this.#cache.length > 0) this.#cache.trim(this.#context.lengthOf(length));
  }

  /**
   * Draws tokens after a sequence.
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
    const token = this.#prepare(sequence);
    const room = this.#context.size - token.position;
    const length = Math.min(runAhead, mostAhead, count, room);
    const seeds = Array.from({ length }, nextSeed);
    return this.#loop.draw(token, seeds, { ...tokens, history: sequence });
  }

  /** Records the step that draws after a sequence, for its programs: within the step of `compilePipelines`. */
  rehearse(sequence: readonly number[], tokens: Omit<DrawTokens, 'history'>): void {
    this.#loop.rehearse(this.#prepare(sequence), { ...tokens, history: sequence });
  }

  dispose(): void {
    this.#loop.dispose();
    this.#cache.dispose();
    this.#step.dispose();
  }

  /** Puts all tokens but the last into the cache by the model's layers; returns the last. */
  #prepare(sequence: readonly number[]): StepToken {
    if (this.#context.shift(sequence.length)) this.#cache.trim(0);
    const isPrompt = this.#context.whole && this.#cache.length === 0;
    const ids = this.#context.after(this.#cache.length, sequence).slice(0, -1);
    const prefixCache = isPrompt ? this.#prefixCache : undefined;
    if (ids.length > 0) {
      prefilled(prefixCache, this.#network, [ids], this.#cache, ([rest], cache) =>
        this.#run(rest!, cache),
      );
    }
    return { id: sequence.at(-1)!, position: this.#context.lengthOf(sequence.length) - 1 };
  }

  /** Processes the next tokens of the sequence by the model's layers. */
  #run(ids: readonly number[], cache: KeyValueCache): void {
    tf.tidy(() => {
      const given = tf.tensor2d([...ids], [1, ids.length], 'int32');
      const { head } = this.#network;
      if (head) head.hidden(given, { cache });
      else this.#network.forward(given, { cache });
    });
  }
}
