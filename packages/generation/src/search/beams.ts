import type { Random } from '@headwise/core';
import type { Plan } from '../plan.js';
import type { Stopping, StopReason } from '../stop.js';
import { inTurns } from './banks.js';
import { best, drawWithoutReplacement } from './best.js';
import { advancingIds, isMet, type Progress, withToken } from './phrases.js';

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
  /** The number of sequences that are returned. */
  readonly returned: number;
  /** Where sequences must contain phrases: how far the tokens before have come with them. */
  readonly phrases: Progress | undefined;
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
  /** Whether it contains all phrases that it should; false only where the search found too few that do. */
  readonly met: boolean;
}

/** A sequence that goes on. */
interface Beam {
  readonly ids: readonly number[];
  /** The sum of its log-probabilities. */
  readonly score: number;
  /** Its row in the scores that its last token was chosen by. */
  readonly row: number;
  /** With the phrases that it must contain. */
  readonly progress: Progress;
}

/** The number of candidates of a step: so many that enough go on where all the best ones end. */
export const candidateCount = (beams: number, stopIds: readonly number[]): number =>
  Math.max(2, 1 + stopIds.length) * beams;

const noPhrases: Progress = { completed: 0, current: undefined, pending: [], longest: 0 };

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
  #running: readonly Beam[];
  #finished: readonly BeamSequence[] = [];
  #ended: boolean;

  constructor(plan: Plan, settings: BeamSettings, stopping: Stopping, random: Random) {
    this.#plan = plan;
    this.#settings = settings;
    this.#stopping = stopping;
    this.#random = random;
    this.#running = [{ ids: [], score: 0, row: 0, progress: settings.phrases ?? noPhrases }];
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
    const count = candidateCount(beams, this.#plan.stopIds);
    const reason = this.#stopping.before(made);
    const sums = this.#sumsOf(scores);
    const candidates = this.#places(sums, count).map((place) =>
      this.#candidate(place, sums, first, reason),
    );
    if (this.#settings.phrases) {
      this.#takeWithPhrases(candidates, sums, first, reason);
      return [];
    }
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

  /** The sums of log-probabilities of each running sequence with each token, one sequence after the other. */
  #sumsOf(scores: readonly Float64Array[]): Float64Array {
    const width = scores[0]!.length;
    const sums = new Float64Array(scores.length * width);
    for (const [row, values] of scores.entries()) {
      for (let id = 0; id < width; id++) {
        sums[row * width + id] = this.#running[row]!.score + values[id]!;
      }
    }
    return sums;
  }

  #places(sums: Float64Array, count: number): number[] {
    const places = this.#settings.sample
      ? drawWithoutReplacement(sums, count, this.#random)
      : best(possible(sums), count, (place) => sums[place]!);
    return places.filter((place) => sums[place]! > Number.NEGATIVE_INFINITY);
  }

  #candidate(
    place: number,
    sums: Float64Array,
    first: number,
    reason: StopReason | undefined,
  ): Candidate {
    const width = sums.length / this.#running.length;
    const [row, id] = [Math.floor(place / width), place % width];
    const stopId = this.#stopping.at(id) ? id : undefined;
    const { ids, progress } = this.#running[row]!;
    return {
      ids: [...ids, id],
      score: sums[place]!,
      row: first + row,
      progress: withToken(progress, id),
      reason: stopId === undefined ? reason : 'stop',
      stopId,
    };
  }

  /** Goes on with the best sequences and with those that advance towards their phrases, in turns. */
  #takeWithPhrases(
    candidates: readonly Candidate[],
    sums: Float64Array,
    first: number,
    reason: StopReason | undefined,
  ): void {
    const { beams, earlyStopping, returned } = this.#settings;
    const made = this.#running[0]!.ids.length + 1;
    const width = sums.length / this.#running.length;
    const going = candidates.filter(({ stopId }) => stopId === undefined).slice(0, beams);
    const known = new Set(going.map(({ row, ids }) => `${row} ${ids.at(-1)}`));
    const advancing = this.#running.flatMap(({ progress }, row) =>
      advancingIds(progress)
        .map((id) => row * width + id)
        .filter((place) => sums[place]! > Number.NEGATIVE_INFINITY)
        .map((place) => this.#candidate(place, sums, first, reason))
        .filter(({ row, ids }) => {
          const key = `${row} ${ids.at(-1)}`;
          return !known.has(key) && known.add(key);
        }),
    );
    const chosen = advancing.length > 0 ? inTurns([...going, ...advancing]).slice(0, beams) : going;
    const stopped = candidates.slice(0, beams).filter(({ stopId }) => stopId !== undefined);
    this.#finish(
      stopped.filter(({ progress }) => isMet(progress)),
      made,
    );
    const full = this.#finished.length === beams;
    const done = full && (earlyStopping === true || !this.#mayImprove(candidates[0]!, made));
    if (reason && !done) {
      const met = chosen.filter(({ progress }) => isMet(progress));
      // Too few: the likeliest in their place, as in Hugging Face's search.
      this.#finish(met.length < returned ? chosen : met, made);
    }
    this.#running = chosen;
    this.#ended = done || reason !== undefined || chosen.length === 0;
  }

  #finish(endings: readonly Candidate[], made: number): void {
    const { beams, lengthPenalty } = this.#settings;
    const added = endings.map(
      ({ ids, score, reason, stopId, progress }): BeamSequence => ({
        ids: stopId === undefined ? ids : ids.slice(0, -1),
        score: score / made ** lengthPenalty,
        reason: reason!,
        stopId,
        met: isMet(progress),
      }),
    );
    this.#finished = best([...this.#finished, ...added], beams, ({ score }) => score);
  }

  /** Whether a sequence could still become better than the worst finished one: the best running one, or in groups and with phrases the best of all. */
  #mayImprove(best: Beam, made: number): boolean {
    const { earlyStopping, lengthPenalty, groups, phrases } = this.#settings;
    const { score } = groups > 1 || phrases ? best : this.#running[0]!;
    const length = earlyStopping === 'never' && lengthPenalty > 0 ? this.#plan.most : made;
    return score / length ** lengthPenalty > this.#finished.at(-1)!.score;
  }
}

/** The places of scores above −∞. */
function possible(scores: Float64Array): number[] {
  const places: number[] = [];
  for (let place = 0; place < scores.length; place++) {
    if (scores[place]! > Number.NEGATIVE_INFINITY) places.push(place);
  }
  return places;
}
