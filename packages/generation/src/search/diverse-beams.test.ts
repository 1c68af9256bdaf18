import { fileURLToPath } from 'node:url';
import { createModel, loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { cases } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import type { Generator } from '../batch-scores.js';
import golden from '../goldens/diverse-beams.json' with { type: 'json' };
import type { BeamSearchOptions } from './beam-options.js';
import { beamSearch } from './beam-search.js';
import { parseSearchConfig } from './search-config.js';

const goldens = fileURLToPath(new URL('../../../parity/goldens', import.meta.url));

interface GoldenCase {
  model: string;
  config: Record<string, unknown>;
  prompts: readonly (readonly number[])[];
  made: readonly (readonly (readonly number[])[])[];
}

const all = golden.cases as unknown as GoldenCase[];
// One configuration of each model; all in the full test.
for (const { model, config, prompts, made } of cases(all, (_, i) => i % 6 === 1)) {
  test(`diverse beams of ${model}: ${JSON.stringify(config)} are Hugging Face's`, async () => {
    const { network, params } = await loadModel(folderFiles(`${goldens}/${model}`));
    const before = tf.memory().numTensors;
    const { beams } = parseSearchConfig(config, 'config');
    const found = await beamSearch(network as Generator, prompts, beams!);
    for (const [n, sequences] of made.entries()) {
      expect(
        found[n]!.map(({ ids }) => ids),
        `prompt ${n}`,
      ).toEqual(sequences);
    }
    expect(tf.memory().numTensors).toBe(before);
    params.dispose();
  });
}

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
