import { createModel } from '@headwise/models';
import { expect, test } from 'vitest';
import type { BeamSearchOptions } from './beam-options.js';
import { beamSearch } from './beam-search.js';
import type { Phrase } from './phrases.js';

const sizes = { vocab_size: 9, n_positions: 12, n_embd: 8, n_layer: 1, n_head: 2 };
const { network, params } = createModel({ model_type: 'gpt2', ...sizes }, { seed: 2 });

test('every sequence contains its phrases, and says where that was impossible', async () => {
  const phrases: Phrase[] = [[4, 7], [[5, 5], [6]], [2]];
  const options = { beams: 4, maxNewTokens: 10 };
  const [found] = await beamSearch(network, [[1, 8]], { ...options, phrases });
  for (const { ids, met } of found!) {
    expect(met).toBe(true);
    expect(`${ids}`).toMatch(/4,7/);
    expect(`${ids}`).toMatch(/5,5|6/);
    expect(ids).toContain(2);
  }
  const without = { ...options, maxNewTokens: 4, noRepeatNgramSize: 1, phrases: [[5, 5]] };
  const [none] = await beamSearch(network, [[1, 8]], without);
  expect(none!.map(({ met }) => met)).toEqual([false]);
});

test('phrases that cannot come are named before the first token', async () => {
  const refused: [Partial<BeamSearchOptions>, string][] = [
    [{ phrases: [[]] }, 'phrases: phrase 0 has no tokens; expected at least one'],
    [{ phrases: [[1], [9]] }, 'phrases: phrase 1: id 9 is outside the vocabulary of 9 tokens'],
    [{ phrases: [[[1], [1, 2]]] }, 'phrases: phrase 0: [1] begins [1,2], which could not be'],
    [{ phrases: [[1, 2]], suppressIds: [2] }, 'phrase 0: [1,2] is ruled out by suppressIds'],
    [{ phrases: [[1, 2]], stopIds: [1] }, 'phrase 0: [1,2] is ruled out by stopIds; expected a'],
    [{ phrases: [[1, 2, 3]], badWords: [[2, 3]] }, 'phrase 0: [1,2,3] is ruled out by badWords'],
    [{ phrases: [[1, 2], [3]] }, 'phrases take at least 3 tokens; at most 2 are generated'],
    [{ phrases: [[1]], beams: 1 }, 'phrases is given with one beam; expected several beams'],
    [{ phrases: [[1]], groups: 2 }, 'phrases is given with 2 groups; expected several beams, in'],
    [{ phrases: [[1]], sample: true }, 'phrases is given with sample; expected several beams'],
  ];
  for (const [options, message] of refused) {
    const run = beamSearch(network, [[8]], { beams: 4, maxNewTokens: 2, ...options });
    await expect(run).rejects.toThrow(message);
  }
  params.dispose();
});
