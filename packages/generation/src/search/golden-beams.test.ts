import { fileURLToPath } from 'node:url';
import { loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { cases } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import type { Generator } from '../batch-scores.js';
import constrained from '../goldens/constrained-beams.json' with { type: 'json' };
import diverse from '../goldens/diverse-beams.json' with { type: 'json' };
import { beamSearch } from './beam-search.js';
import { parseSearchConfig } from './search-config.js';

const goldens = fileURLToPath(new URL('../../../parity/goldens', import.meta.url));

interface GoldenCase {
  model: string;
  config: Record<string, unknown>;
  prompts: readonly (readonly number[])[];
  made: readonly (readonly (readonly number[])[])[];
}

// One configuration of each model, of six; all in the full test.
const kinds: Record<string, { golden: { cases: unknown }; chosen: number }> = {
  diverse: { golden: diverse, chosen: 1 },
  constrained: { golden: constrained, chosen: 3 },
};

for (const [kind, { golden, chosen }] of Object.entries(kinds)) {
  const all = golden.cases as GoldenCase[];
  for (const { model, config, prompts, made } of cases(all, (_, i) => i % 6 === chosen)) {
    test(`${kind} beams of ${model}: ${JSON.stringify(config)} are Hugging Face's`, async () => {
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
}
