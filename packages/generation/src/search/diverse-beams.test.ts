import { createModel } from '@headwise/models';
import { expect, test } from 'vitest';
import type { BeamSearchOptions } from './beam-options.js';
import { beamSearch } from './beam-search.js';

test('groups that cannot be are named', async () => {
  const sizes = { vocab_size: 5, n_positions: 8, n_embd: 8, n_layer: 1, n_head: 2 };
  const { network, params } = createModel({ model_type: 'gpt2', ...sizes }, { seed: 2 });
  const refused: [BeamSearchOptions, string][] = [
    [{ beams: 4, groups: 3 }, 'groups is 3 for 4 beams; expected a divisor of them'],
    [{ beams: 4, groups: 5 }, 'groups is 5; expected a whole number from 1 to 4'],
    [{ beams: 4, groups: 2, diversityPenalty: -1 }, 'diversityPenalty is -1; expected a number'],
    [{ beams: 4, diversityPenalty: 1 }, 'diversityPenalty is 1 for one group; expected 0'],
  ];
  for (const [options, message] of refused) {
    await expect(beamSearch(network, [[1]], options)).rejects.toThrow(message);
  }
  params.dispose();
});
