import { nextTask } from '@headwise/core/internal';
import { batchScoresOf, type Generator } from '../batch-scores.js';
import { type BeamSearchOptions, checkBeams } from './beam-options.js';
import type { BeamSequence } from './beams.js';
import { PromptSearch } from './prompt-search.js';
import { stepAll } from './step-all.js';

/**
 * Searches the likeliest continuations of prompts of any lengths, as Hugging Face's beam search; of encoder-decoders too.
 *
 * Without `sample`, temperature and cut-offs have no effect. Processors act on log-probabilities. On WebGPU a step
 * reads the best scores of each beam, `8 + 8 k` bytes with k about twice the beams; and all, `4 V` bytes, with `sample`, `phrases`,
 * penalties, biases, length decay or processors of one's own.
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
  checkBeams(network, options);
  const searches = prompts.map((prompt) => new PromptSearch(network, prompt, options));
  let live = searches.filter(({ ended }) => !ended);
  if (live.length === 0) return searches.map(() => []);
  const given = live.map(({ prompt }) => prompt);
  const starts = live.map(({ start }) => start);
  const { storage, prefixCache } = live[0]!.plan;
  const scores = batchScoresOf(network, storage, { prefixCache });
  try {
    for (let first = true; live.length > 0; first = false) {
      const ids = live.flatMap(({ running }) => running.map((beam) => beam.ids.at(-1)!));
      const rows = first ? scores.after([], given, starts) : scores.after(ids);
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
