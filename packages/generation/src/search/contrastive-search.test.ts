import { fileURLToPath } from 'node:url';
import { languageModel, loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { cases } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import type { Generator } from '../batch-scores.js';
import { generate } from '../generate.js';
import golden from '../goldens/contrastive.json' with { type: 'json' };
import { type ContrastiveSearchOptions, contrastiveSearch } from './contrastive-search.js';
import { parseSearchConfig } from './search-config.js';

const goldens = fileURLToPath(new URL('../../../parity/goldens', import.meta.url));

interface GoldenCase {
  model: string;
  config: { penalty_alpha: number; top_k: number };
  prompts: readonly (readonly number[])[];
  made: readonly (readonly number[])[];
}

const all = golden.cases as unknown as GoldenCase[];
// One configuration of each model; all in the full test.
for (const { model: name, config, prompts, made } of cases(all, (_, i) =>
  [1, 7, 13, 19, 21, 27].includes(i),
)) {
  test(`contrastive search of ${name}: ${JSON.stringify(config)} finds Hugging Face's sequences`, async () => {
    const loaded = await loadModel(folderFiles(`${goldens}/${name}`));
    const before = tf.memory().numTensors;
    const { contrastive } = parseSearchConfig(config, 'config');
    const found = await contrastiveSearch(loaded.network as Generator, prompts, contrastive!);
    expect(found.map(({ ids }) => ids)).toEqual(made);
    expect(tf.memory().numTensors).toBe(before);
    loaded.params.dispose();
  });
}

test('a penalty of 0 is greedy, packed or not, and bad options are named', async () => {
  const folder = folderFiles(`${goldens}/gpt2`);
  for (const dtype of ['f32', 'int8'] as const) {
    const { network, params } = languageModel(await loadModel(folder, { dtype }));
    const options = { penalty: 0, candidates: 3, maxNewTokens: 5 };
    const [found] = await contrastiveSearch(network, [[3, 17, 5]], options);
    const greedy: number[] = [];
    for await (const id of generate(network, [3, 17, 5], { temperature: 0, maxNewTokens: 5 })) {
      greedy.push(id);
    }
    expect(found).toMatchObject({ ids: greedy, reason: 'length' });
    const refused: [Partial<ContrastiveSearchOptions>, string][] = [
      [{ candidates: 1 }, 'candidates is 1; expected a whole number from 2 to 97'],
      [{ penalty: 2 }, 'penalty is 2; expected 0 ≤ penalty ≤ 1'],
      [{ guidanceScale: 2 }, 'guidanceScale is given for a contrastive search'],
    ];
    for (const [bad, message] of refused) {
      const run = contrastiveSearch(network, [[1]], { ...options, ...bad });
      await expect(run).rejects.toThrow(message);
    }
    params.dispose();
  }
});
