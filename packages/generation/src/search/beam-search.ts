import { InputError, isEncoderDecoder, Random, readTensor } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import { checkScores } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { batchScoresOf, type Generator } from '../batch-scores.js';
import type { GenerateOptions } from '../options.js';
import { checkedPlan, type Plan } from '../plan.js';
import { processed } from '../process-scores.js';
import { runInOrder } from '../processors/own.js';
import { Stopping } from '../stop.js';
import { type BeamSequence, Beams, type EarlyStopping } from './beams.js';
import { best } from './best.js';
import { logProbabilities } from './log-probabilities.js';
import { type Phrase, progressAfter } from './phrases.js';

export interface BeamSearchOptions extends GenerateOptions {
  /** The number of sequences that are kept while searching, at least 1. */
  beams: number;
  /** The number of sequences to return for each prompt, at most `beams`; default 1. */
  returned?: number | undefined;
  /** The exponent of the length that sums of log-probabilities are divided by: above 0 favours long sequences; default 1. */
  lengthPenalty?: number | undefined;
  /**
   * `true` ends with as many finished sequences as beams; `false` (default) where a better one is unlikely; `'never'` where
   * there can be none.
   */
  earlyStopping?: EarlyStopping | undefined;
  /** Diverse beam search: the beams are cut into as many groups, which search one after the other; default 1. */
  groups?: number | undefined;
  /**
   * Taken from the log-probability of a token for each beam of an earlier group that chose it in the same step; needs groups.
   * Default 0.
   */
  diversityPenalty?: number | undefined;
  /** Beam sampling: continuations are drawn, after temperature and cut-offs, in place of the best. Default false. */
  sample?: boolean | undefined;
  /**
   * Constrained beam search: phrases that every sequence has to contain, in any order; one that a decoder's prompt contains counts.
   * Default none.
   */
  phrases?: readonly Phrase[] | undefined;
}

/**
 * Searches the likeliest continuations of prompts of any lengths, as Hugging Face's beam search; of encoder-decoders too.
 *
 * Without `sample`, temperature and cut-offs have no effect. Processors act on log-probabilities. A step reads `4 V` bytes of each
 * beam.
 *
 * @returns for each prompt its best sequences, best first
 * @throws InputError for prompts that are empty, too long or outside the vocabulary, and for options out of range
 * @example
 * const [[best]] = await beamSearch(network, [tokenizer.encode('Call me').ids], { beams: 4, stopIds: [0] });
 */
export async function beamSearch(
  network: Generator,
  prompts: readonly (readonly number[])[],
  options: BeamSearchOptions,
): Promise<BeamSequence[][]> {
  const searches = prompts.map((prompt) => new Search(network, prompt, options));
  let live = searches.filter(({ ended }) => !ended);
  if (live.length === 0) return searches.map(() => []);
  const given = live.map(({ prompt }) => prompt);
  const scores = batchScoresOf(network, live[0]!.plan.storage);
  try {
    for (let first = true; live.length > 0; first = false) {
      const ids = live.flatMap(({ running }) => running.map((beam) => beam.ids.at(-1)!));
      const rows = first ? scores.after([], given) : scores.after(ids);
      try {
        await stepAll(live, rows);
      } finally {
        rows.dispose();
      }
      await nextTask();
      const order: number[] = [];
      let start = 0;
      for (const search of live) {
        if (!search.ended) order.push(...search.running.map(({ row }) => start + row));
        start += search.width;
        search.width = search.running.length;
      }
      live = live.filter(({ ended }) => !ended);
      if (live.length > 0) scores.reorder(order);
    }
  } finally {
    scores.dispose();
  }
  const { returned = 1 } = options;
  return searches.map(({ finished }) => finished.slice(0, returned));
}

/** The search after one prompt. */
class Search {
  readonly plan: Plan;
  readonly #groups: readonly Beams[];
  readonly #diversityPenalty: number;
  readonly prompt: readonly number[];
  /** What new tokens follow. */
  readonly start: readonly number[];
  /** The number of its rows in the scores. */
  width = 1;

  constructor(network: Generator, prompt: readonly number[], options: BeamSearchOptions) {
    const { beams, lengthPenalty = 1, earlyStopping = false, sample = false } = options;
    checkBeams(network, options);
    this.prompt = prompt;
    this.start = isEncoderDecoder(network) ? [network.startId] : prompt;
    this.plan = checkedPlan(network, prompt, options, this.start);
    // Greedy plans divide and cut off nothing.
    if (!sample) this.plan.sampling.temperature = 0;
    // The last token needs no place in the cache.
    this.plan.most = Math.min(this.plan.most, network.maxLength + 1 - this.start.length);
    const { groups = 1, diversityPenalty = 0, returned = 1, phrases = [] } = options;
    const progress = progressAfter(this.start, phrases, this.plan, network.vocabSize);
    const settings = {
      beams: beams / groups,
      lengthPenalty,
      earlyStopping,
      sample,
      groups,
      returned,
      phrases: phrases.length > 0 ? progress : undefined,
    };
    const random = new Random(this.plan.seed);
    const stopping = new Stopping(this.plan);
    this.#diversityPenalty = diversityPenalty;
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

/** @param rows scores of the live searches' sequences, `[N, V]` */
async function stepAll(live: readonly Search[], rows: tf.Tensor2D): Promise<void> {
  const [, vocabulary] = rows.shape;
  const own = live.some(({ plan }) => plan.processors.length > 0);
  const values = own ? undefined : await readTensor(rows);
  let row = 0;
  for (const search of live) {
    const { plan, start } = search;
    const scores: Float64Array[] = [];
    for (const { ids } of search.running) {
      const sequence = [...start, ...ids];
      const logits = values
        ? values.subarray(row * vocabulary, (row + 1) * vocabulary)
        : await ownScores(rows, row, plan, sequence);
      const given = Float64Array.from(logits);
      checkScores('beamSearch', given, row);
      scores.push(logProbabilities(given));
      row++;
    }
    search.step(scores);
  }
}

async function ownScores(
  rows: tf.Tensor2D,
  row: number,
  { processors }: Plan,
  sequence: readonly number[],
): Promise<ArrayLike<number>> {
  const one = tf.tidy(() => rows.slice([row, 0], [1, rows.shape[1]]));
  const changed = await runInOrder(processors, one, sequence);
  const values = await readTensor(changed);
  tf.dispose([one, changed]);
  return values;
}

function checkBeams(network: Generator, options: BeamSearchOptions): void {
  const { beams, returned = 1, lengthPenalty = 1, earlyStopping = false } = options;
  const count = (name: string, value: number, most: number) => {
    if (Number.isSafeInteger(value) && value >= 1 && value <= most) return;
    throw new InputError(`${name} is ${value}; expected a whole number from 1 to ${most}`);
  };
  count('beams', beams, network.vocabSize);
  count('returned', returned, beams);
  const { groups = 1, diversityPenalty = 0 } = options;
  count('groups', groups, beams);
  if (beams % groups !== 0) {
    throw new InputError(`groups is ${groups} for ${beams} beams; expected a divisor of them`);
  }
  if (!(diversityPenalty >= 0 && Number.isFinite(diversityPenalty))) {
    throw new InputError(
      `diversityPenalty is ${diversityPenalty}; expected a number of at least 0`,
    );
  }
  if (diversityPenalty > 0 && groups === 1) {
    throw new InputError(`diversityPenalty is ${diversityPenalty} for one group; expected 0`);
  }
  const { phrases = [], sample = false } = options;
  if (phrases.length > 0 && (sample || groups > 1 || beams === 1)) {
    const given = sample ? 'sample' : groups > 1 ? `${groups} groups` : 'one beam';
    throw new InputError(
      `phrases is given with ${given}; expected several beams, in one group, that are not drawn`,
    );
  }
  if (!Number.isFinite(lengthPenalty)) {
    throw new InputError(`lengthPenalty is ${lengthPenalty}; expected a number`);
  }
  if (![true, false, 'never'].includes(earlyStopping)) {
    throw new InputError(`earlyStopping is ${earlyStopping}; expected true, false or 'never'`);
  }
  if (options.constraint && !options.stopIds?.length) {
    throw new InputError(
      'constraint is given for a beam search without stopIds; expected end tokens, which end complete outputs',
    );
  }
  if (options.constraint) {
    throw new InputError(
      'constraint is given for a beam search; expected none: phrases are what a search may contain',
    );
  }
  if ((options.guidanceScale ?? 1) !== 1) {
    throw new InputError(
      `guidanceScale is ${options.guidanceScale} for a beam search; expected 1: guidance is for generate`,
    );
  }
}
