import { readTensor } from '@headwise/core';
import { type BestScores, bestScores, checkScores } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import type { Plan } from '../plan.js';
import { runInOrder } from '../processors/own.js';
import { logProbabilities } from './log-probabilities.js';
import type { PromptSearch } from './prompt-search.js';

/** The most scores of a row that are searched for on the device. */
const mostBest = 128;

/** A step of every search. @param rows scores of the live searches' sequences, `[N, V]` */
export async function stepAll(live: readonly PromptSearch[], rows: tf.Tensor2D): Promise<void> {
  const wanted = live.map((search) => search.wanted);
  const best = wanted.every((count) => count !== undefined) && Math.max(...wanted);
  if (best && best <= Math.min(mostBest, rows.shape[1] / 4)) {
    const found = await bestScores(rows, best);
    let row = 0;
    for (const search of live) {
      const own = found.slice(row, row + search.width);
      search.step(own.map((scores) => onlyBest(scores, rows.shape[1])));
      row += search.width;
    }
    return;
  }
  await stepOnHost(live, rows);
}

/** A row in which all but the best scores cannot come. */
function onlyBest({ ids, logProbabilities }: BestScores, vocabulary: number): Float64Array {
  const row = new Float64Array(vocabulary).fill(Number.NEGATIVE_INFINITY);
  for (const [i, id] of ids.entries()) row[id] = logProbabilities[i]!;
  return row;
}

async function stepOnHost(live: readonly PromptSearch[], rows: tf.Tensor2D): Promise<void> {
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
  let changed: tf.Tensor2D | undefined;
  try {
    changed = await runInOrder(processors, one, sequence);
    return await readTensor(changed);
  } finally {
    tf.dispose([one, changed!]);
  }
}
