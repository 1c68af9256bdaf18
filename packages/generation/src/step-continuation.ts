import { type LanguageModel, Random, readTensor } from '@headwise/core';
import { KeyValueCache, mostAhead, StepLoop, type StepPlan } from '@headwise/decoding';
import * as tf from '@tensorflow/tfjs';
import type { Continuation } from './continuation.js';
import { drawFrom, newerHalf } from './layer-continuation.js';
import type { Plan } from './options.js';
import { bannedIds, bansChange, standingBans } from './restrictions.js';

/** Draws tokens by a model's fused step, after its layers have processed the prompt. */
export class StepContinuation implements Continuation {
  readonly #network: LanguageModel;
  readonly #step: StepPlan;
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #cache: KeyValueCache;
  readonly #loop: StepLoop;
  /** Where in the sequence the first cached token stands. */
  #first = 0;

  /** @param step disposed with this */
  constructor(network: LanguageModel, step: StepPlan, plan: Plan, promptLength: number) {
    this.#network = network;
    this.#step = step;
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    this.#cache = new KeyValueCache({ storage: plan.storage });
    const maxLength = Math.min(network.maxLength, promptLength + plan.most);
    this.#loop = new StepLoop(step, this.#cache, { sampling: plan.sampling, maxLength });
  }

  async next(sequence: readonly number[], made: number): Promise<readonly number[]> {
    const { maxLength } = this.#network;
    if (sequence.length - this.#first > maxLength) {
      this.#cache.trim(0);
      this.#first = sequence.length - newerHalf(maxLength);
    }
    this.#prefill(sequence.slice(this.#first + this.#cache.length, -1));
    const token = { id: sequence.at(-1)!, position: sequence.length - 1 - this.#first };
    if (bansChange(this.#plan, made)) {
      const banned = bannedIds(this.#plan, sequence, made);
      const logits = this.#loop.logits(token);
      const drawn = tf.tidy(() =>
        drawFrom(logits, this.#plan, this.#random, { history: sequence, banned }),
      );
      const [id] = await readTensor(drawn);
      drawn.dispose();
      return [id!];
    }
    const { most, forcedLastId, runAhead = this.#loop.runAhead } = this.#plan;
    const left = most - made - (forcedLastId === undefined ? 0 : 1);
    const count = Math.min(runAhead, mostAhead, left, maxLength - token.position);
    const seeds = Array.from({ length: count }, () => this.#random.nextUint32());
    return this.#loop.draw(token, seeds, {
      history: sequence,
      banned: standingBans(this.#plan),
    });
  }

  dispose(): void {
    this.#loop.dispose();
    this.#cache.dispose();
    this.#step.dispose();
  }

  /** Puts tokens into the cache by the model's layers. */
  #prefill(ids: readonly number[]): void {
    if (ids.length === 0) return;
    tf.tidy(() => {
      const { head } = this.#network;
      const given = tf.tensor2d([...ids], [1, ids.length], 'int32');
      if (head) head.hidden(given, { cache: this.#cache });
      else this.#network.forward(given, { cache: this.#cache });
    });
  }
}
