import { fileURLToPath } from 'node:url';
import { loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { cases } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { Generator } from '../batch-scores.js';
import { generateBatch } from '../generate-batch.js';
import { parseGenerationConfig } from '../generation-config.js';
import beams from '../goldens/beams.json' with { type: 'json' };
import constrained from '../goldens/constrained-beams.json' with { type: 'json' };
import contrastive from '../goldens/contrastive.json' with { type: 'json' };
import diverse from '../goldens/diverse-beams.json' with { type: 'json' };
import greedy from '../goldens/greedy.json' with { type: 'json' };
import { beamSearch } from './beam-search.js';
import { contrastiveSearch } from './contrastive-search.js';
import { parseSearchConfig } from './search-config.js';

const goldens = fileURLToPath(new URL('../../../parity/goldens', import.meta.url));

type Rows = readonly (readonly number[])[];
interface GoldenCase {
  model: string;
  config: object;
  prompts: Rows;
  made?: readonly (Rows | readonly number[])[];
  alone?: readonly { sequences: Rows }[];
}
const kinds = { beams, constrained, contrastive, diverse };
const names = ['gpt2', 'llama', 'mistral', 'bloom', 't5', 'bart'];

// Every model with one search, and every search with a model; all of both in the full test.
describe("searches on WebGPU find Hugging Face's sequences", () => {
  for (const [kind, { cases: all }] of Object.entries(kinds)) {
    const at = Object.keys(kinds).indexOf(kind);
    for (const name of cases(names, (_, i) => i === at || i === [-1, 4, 5, -1][at])) {
      test(`${kind} of ${name}, after prompts of several lengths at once`, async () => {
        const own = (all as unknown as GoldenCase[]).filter(({ model }) => model === name);
        const { config, prompts, made, alone } = own[2]!;
        const few = prompts.slice(0, 3);
        const { network, params } = await loadModel(folderFiles(`${goldens}/${name}`));
        const before = tf.memory().numTensors;
        const found = parseSearchConfig(config, 'config');
        const sequences = found.contrastive
          ? (await contrastiveSearch(network as Generator, few, found.contrastive)).map(
              ({ ids }) => ids,
            )
          : (await beamSearch(network as Generator, few, found.beams!)).map((of) =>
              of.map(({ ids }) => ids),
            );
        const expected = made ?? alone!.map((one) => one.sequences);
        expect(sequences).toEqual(expected.slice(0, 3));
        expect(tf.memory().numTensors).toBe(before);
        params.dispose();
      });
    }
  }
});

describe("greedy sequences on WebGPU are Hugging Face's", () => {
  const own = names.map((name) => greedy.cases.find(({ model }) => model === name)!);
  for (const { model, config, made } of cases(own, ({ model }) => model === 'mistral')) {
    test(`${model}, prompts of several lengths at once`, async () => {
      const { network, params } = await loadModel(folderFiles(`${goldens}/${model}`));
      const before = tf.memory().numTensors;
      const { options } = parseGenerationConfig(config, 'config');
      const { sequences } = await generateBatch(network as Generator, greedy.prompts, options);
      expect(sequences.map(({ tokens }) => tokens.map(({ id }) => id))).toEqual(made);
      expect(tf.memory().numTensors).toBe(before);
      params.dispose();
    });
  }
});
