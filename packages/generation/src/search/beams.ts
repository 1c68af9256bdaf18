import type { Random } from '@headwise/core';
import type { Plan } from '../plan.js';
import type { Stopping, StopReason } from '../stop.js';
import { best, drawWithoutReplacement } from './best.js';

/** When a beam search ends, as Hugging Face's `early_stopping`. */
export type EarlyStopping = boolean | 'never';

/** Options of a beam search with their defaults. */
export interface BeamSettings {
  /** Of one group. */
  readonly beams: number;
  /** The number of groups that search after the same prompt. */
  readonly groups: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: EarlyStopping;
  /** Whether continuations are drawn, without replacement, in place of the best. */
  readonly sample: boolean;
}

/** A sequence that a search found. */
export interface BeamSequence {
  /** The new tokens, without the stop id. */
  readonly ids: readonly number[];
  /** The sum of the log-probabilities, that of the stop id included, divided by `length ** lengthPenalty`. */
  readonly score: number;
  readonly reason: StopReason;
  /** The stop id that ended it, where one did. */
  readonly stopId: number | undefined;
}

/** A sequence that goes on. */
interface Beam {
  readonly ids: readonly number[];
  /** The sum of its log-probabilities. */
  readonly score: number;
  /** Its row in the scores that its last token was chosen by. */
  readonly row: number;
}

interface Candidate extends Beam {
  readonly reason: StopReason | undefined;
  readonly stopId: number | undefined;
}

/**
 * The beams of one prompt, or one group of them: the rules of Hugging Face's beam search, without the model.
 *
 * @see Freitag and Al-Onaizan 2017, https://arxiv.org/abs/1702.01806
 */
export class Beams {
  readonly #plan: Plan;
  readonly #settings: BeamSettings;
  readonly #stopping: Stopping;
  readonly #random: Random;
  #running: readonly Beam[] = [{ ids: [], score: 0, row: 0 }];
  #finished: readonly BeamSequence[] = [];
  #ended: boolean;

  constructor(plan: Plan, settings: BeamSettings, stopping: Stopping, random: Random) {
    this.#plan = plan;
    this.#settings = settings;
    this.#stopping = stopping;
    this.#random = random;
    this.#ended = plan.most === 0;
  }

  /** The sequences that go on, best first: one before the first step, then as many as there are beams. */
  get running(): readonly Beam[] {
    return this.#running;
  }

  /** The best finished sequences, best first, at most as many as there are beams. */
  get finished(): readonly BeamSequence[] {
    return this.#finished;
  }

  /** Whether no further step can change what is returned, or none is to be made. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether no step was made. */
  get isNew(): boolean {
    return this.#running[0]?.ids.length === 0;
  }

  /**
   * @param scores of the next token of each running sequence, processed log-probabilities `[V]`
   * @param first where the rows of its running sequences begin among those of all groups
   * @returns the new tokens of the best sequences that no stop id ended
   */
  step(scores: readonly Float64Array[], first: number): number[] {
    const { beams, earlyStopping } = this.#settings;
    const made = this.#running[0]!.ids.length + 1;
    // So many that enough go on where all the best ones end.
    const count = Math.max(2, 1 + this.#plan.stopIds.length) * beams;
    const candidates = this.#candidates(scores, first, count, this.#stopping.before(made));
    const going = candidates.filter(({ reason }) => !reason);
    const endings = candidates.slice(0, beams).filter(({ reason }) => reason);
    const full = this.#finished.length === beams;
    if (!(full && earlyStopping === true)) this.#finish(endings, made);
    this.#running = best(going, beams, ({ score }) => score);
    const fullNow = this.#finished.length === beams;
    this.#ended =
      going.length === 0 ||
      (fullNow && (earlyStopping === true || !this.#mayImprove(candidates[0]!, made)));
    const unstopped = candidates.filter(({ stopId }) => stopId === undefined);
    return unstopped.slice(0, beams).map(({ ids }) => ids.at(-1)!);
  }

  #candidates(
    scores: readonly Float64Array[],
    first: number,
    count: number,
    reason: StopReason | undefined,
  ): Candidate[] {
    const width = scores[0]!.length;
    const sums = new Float64Array(scores.length * width);
    for (const [row, values] of scores.entries()) {
      for (let id = 0; id < width; id++) {
        sums[row * width + id] = this.#running[row]!.score + values[id]!;
      }
    }
    const places = this.#settings.sample
      ? drawWithoutReplacement(sums, count, this.#random)
      : best([...sums.keys()], count, (place) => sums[place]!);
    return places
      .filter((place) => sums[place]! > Number.NEGATIVE_INFINITY)
      .map((place) => {
        const [row, id] = [Math.floor(place / width), place % width];
        const stopId = this.#stopping.at(id) ? id : undefined;
        return {
          ids: [...this.#running[row]!.ids, id],
          score: sums[place]!,
          row: first + row,
          reason: stopId === undefined ? reason : 'stop',
          stopId,
        };
      });
  }

  #finish(endings: readonly Candidate[], made: number): void {
    const { beams, lengthPenalty } = this.#settings;
    const added = endings.map(
      ({ ids, score, reason, stopId }): BeamSequence => ({
        ids: stopId === undefined ? ids : ids.slice(0, -1),
        score: score / made ** lengthPenalty,
        reason: reason!,
        stopId,
      }),
    );
    this.#finished = best([...this.#finished, ...added], beams, ({ score }) => score);
  }

  /** Whether a sequence could still become better than the worst finished one: the best running one, or in groups the best of all. */
  #mayImprove(best: Beam, made: number): boolean {
    const { earlyStopping, lengthPenalty, groups } = this.#settings;
    const { score } = groups > 1 ? best : this.#running[0]!;
    const length = earlyStopping === 'never' && lengthPenalty > 0 ? this.#plan.most : made;
    return score / length ** lengthPenalty > this.#finished.at(-1)!.score;
  }
}
