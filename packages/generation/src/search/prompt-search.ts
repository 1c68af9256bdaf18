import { Random } from '@headwise/core';
import { penalises } from '@headwise/kernels/internal';
import { adjustmentsAfter } from '../adjustments.js';
import type { Generator } from '../batch-scores.js';
import { checkedPlan, type Plan } from '../plan.js';
import { processed } from '../process-scores.js';
import { forcedIds } from '../processors/forced.js';
import { startOf } from '../prompt.js';
import { Stopping } from '../stop.js';
import type { BeamSearchOptions } from './beam-options.js';
import { type BeamSequence, type BeamSettings, Beams, candidateCount } from './beams.js';
import { best } from './best.js';
import { progressAfter } from './phrases.js';

/** The search after one prompt. */
export class PromptSearch {
  readonly plan: Plan;
  readonly #groups: readonly Beams[];
  readonly #settings: BeamSettings;
  readonly #diversityPenalty: number;
  readonly prompt: readonly number[];
  /** What new tokens follow. */
  readonly start: readonly number[];
  /** The number of its rows in the scores. */
  width = 1;

  constructor(network: Generator, prompt: readonly number[], options: BeamSearchOptions) {
    const { beams, groups = 1, sample = false, phrases = [] } = options;
    this.prompt = prompt;
    this.start = startOf(network, prompt, options);
    this.plan = checkedPlan(network, prompt, options, this.start);
    // Greedy plans divide and cut off nothing.
    if (!sample) this.plan.sampling.temperature = 0;
    // The last token needs no place in the cache.
    this.plan.most = Math.min(this.plan.most, network.maxLength + 1 - this.start.length);
    const progress = progressAfter(this.start, phrases, this.plan, network.vocabSize);
    const settings = {
      beams: beams / groups,
      groups,
      sample,
      lengthPenalty: options.lengthPenalty ?? 1,
      earlyStopping: options.earlyStopping ?? false,
      returned: options.returned ?? 1,
      phrases: phrases.length > 0 ? progress : undefined,
    };
    const random = new Random(this.plan.seed);
    const stopping = new Stopping(this.plan);
    this.#settings = settings;
    this.#diversityPenalty = options.diversityPenalty ?? 0;
    this.#groups = Array.from(
      { length: groups },
      () => new Beams(this.plan, settings, stopping, random),
    );
  }

  /** Whether every group has ended. */
  get ended(): boolean {
    return this.#groups.every(({ ended }) => ended);
  }

  /** The sequences that go on, of one group after the other; before the first step the prompt alone. */
  get running(): Beams['running'] {
    if (this.#groups[0]!.isNew) return this.#groups[0]!.running;
    return this.#groups.flatMap(({ ended, running }) => (ended ? [] : running));
  }

  /** The best finished sequences of all groups, best first. */
  get finished(): BeamSequence[] {
    const all = this.#groups.flatMap(({ finished }) => finished);
    return best(all, all.length, ({ score }) => score);
  }

  /**
   * The number of best scores of each row that a step can be made from; undefined where it needs them all: to draw from them, or
   * to raise or penalise some.
   */
  get wanted(): number | undefined {
    const { plan, start } = this;
    const { sample, phrases, groups, beams } = this.#settings;
    if (sample || phrases || plan.allowed || plan.processors.length > 0) return undefined;
    if (penalises(plan.sampling) || plan.sampling.encoderRepetitionPenalty !== 1) return undefined;
    let most = 0;
    for (const { ids } of this.running) {
      const sequence = [...start, ...ids];
      if (forcedIds(plan.forced, sequence.length, plan.most - ids.length)) return undefined;
      const { bias, banned, raise } = adjustmentsAfter(plan, sequence, ids.length);
      if (bias.size > 0 || raise !== 0) return undefined;
      most = Math.max(most, banned.size);
    }
    // Earlier groups lower the scores of at most as many tokens as they have beams.
    const lowered = beams * (groups - 1);
    return candidateCount(beams, plan.stopIds) + most + lowered;
  }

  /** @param scores log-probabilities of the tokens after each running sequence, `[V]` each */
  step(scores: readonly Float64Array[]): void {
    const { isNew } = this.#groups[0]!;
    const least = this.plan.stopIds.length + 1;
    const chosen: number[] = [];
    let first = 0;
    for (const group of this.#groups) {
      if (group.ended) continue;
      const rows = group.running.map(({ ids }, n) => {
        const row = scores[first + n]!.slice();
        for (const id of chosen) row[id]! -= this.#diversityPenalty;
        return processed(this.plan, row, [...this.start, ...ids], ids.length, least);
      });
      const tokens = group.step(rows, first);
      // All groups begin after the prompt, which has one row.
      if (!isNew) first += rows.length;
      chosen.push(...tokens);
    }
  }
}
