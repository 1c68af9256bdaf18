import { InputError, isEncoderDecoder, Random, readTensor } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { batchScoresOf, type Generator } from '../batch-scores.js';
import { checkPrompts } from '../generate.js';
import type { GenerateOptions } from '../options.js';
import { type Plan, planOf } from '../plan.js';
import { processed } from '../process-scores.js';
import { runInOrder } from '../processors/own.js';
import { Stopping } from '../stop.js';
import { type BeamSequence, Beams, type EarlyStopping } from './beams.js';

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
  /** Beam sampling: continuations are drawn, after temperature and cut-offs, in place of the best. Default false. */
  sample?: boolean | undefined;
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
  let live = searches.filter(({ beams }) => !beams.ended);
  if (live.length === 0) return searches.map(() => []);
  const given = live.map(({ prompt }) => prompt);
  const scores = batchScoresOf(network, given, live[0]!.plan.storage);
  try {
    for (let first = true; live.length > 0; first = false) {
      const ids = live.flatMap(({ beams }) => beams.running.map((beam) => beam.ids.at(-1)!));
      const rows = scores.after(first ? undefined : ids);
      try {
        await stepAll(live, rows);
      } finally {
        rows.dispose();
      }
      await nextTask();
      const order: number[] = [];
      let start = 0;
      for (const search of live) {
        const { beams, width } = search;
        if (!beams.ended) order.push(...beams.running.map(({ row }) => start + row));
        start += width;
        search.width = beams.running.length;
      }
      live = live.filter(({ beams }) => !beams.ended);
      if (live.length > 0) scores.reorder(order);
    }
  } finally {
    scores.dispose();
  }
  const { returned = 1 } = options;
  return searches.map(({ beams }) => beams.finished.slice(0, returned));
}

/** The search after one prompt. */
class Search {
  readonly plan: Plan;
  readonly beams: Beams;
  readonly prompt: readonly number[];
  /** What new tokens follow. */
  readonly start: readonly number[];
  /** The number of its rows in the scores. */
  width = 1;

  constructor(network: Generator, prompt: readonly number[], options: BeamSearchOptions) {
    const { beams, lengthPenalty = 1, earlyStopping = false, sample = false } = options;
    checkBeams(network, prompt, options);
    this.prompt = prompt;
    this.start = isEncoderDecoder(network) ? [network.startId] : prompt;
    // Greedy plans divide and cut off nothing.
    const given = sample ? options : { ...options, temperature: 0 };
    this.plan = planOf(network, prompt, given, this.start);
    // The last token needs no place in the cache.
    this.plan.most = Math.min(this.plan.most, network.maxLength + 1 - this.start.length);
    const settings = { beams, lengthPenalty, earlyStopping, sample };
    const random = new Random(this.plan.seed);
    this.beams = new Beams(this.plan, settings, new Stopping(this.plan), random);
  }
}

/** @param rows scores of the live searches' sequences, `[N, V]` */
async function stepAll(live: readonly Search[], rows: tf.Tensor2D): Promise<void> {
  const [, vocabulary] = rows.shape;
  const own = live.some(({ plan }) => plan.processors.length > 0);
  const values = own ? undefined : await readTensor(rows);
  let row = 0;
  for (const { beams, plan, start } of live) {
    const least = plan.stopIds.length + 1;
    const scores: Float64Array[] = [];
    for (const { ids } of beams.running) {
      const sequence = [...start, ...ids];
      const logits = values
        ? values.subarray(row * vocabulary, (row + 1) * vocabulary)
        : await ownScores(rows, row, plan, sequence);
      scores.push(processed(plan, logProbabilities(logits), sequence, ids.length, least));
      row++;
    }
    beams.step(scores);
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

function checkBeams(
  network: Generator,
  prompt: readonly number[],
  options: BeamSearchOptions,
): void {
  const { beams, returned = 1, lengthPenalty = 1, earlyStopping = false } = options;
  const count = (name: string, value: number, most: number) => {
    if (Number.isSafeInteger(value) && value >= 1 && value <= most) return;
    throw new InputError(`${name} is ${value}; expected a whole number from 1 to ${most}`);
  };
  count('beams', beams, network.vocabSize);
  count('returned', returned, beams);
  if (!Number.isFinite(lengthPenalty)) {
    throw new InputError(`lengthPenalty is ${lengthPenalty}; expected a number`);
  }
  if (![true, false, 'never'].includes(earlyStopping)) {
    throw new InputError(`earlyStopping is ${earlyStopping}; expected true, false or 'never'`);
  }
  if ((options.guidanceScale ?? 1) !== 1) {
    throw new InputError(
      `guidanceScale is ${options.guidanceScale} for a beam search; expected 1: guidance is for generate`,
    );
  }
  checkPrompts(network, prompt, options);
}
