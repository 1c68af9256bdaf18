import { fileURLToPath } from 'node:url';
import { loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { cases, describeOn } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import type { Generator } from './batch-scores.js';
import { generateBatch } from './generate-batch.js';
import { parseGenerationConfig } from './generation-config.js';
import golden from './goldens/greedy.json' with { type: 'json' };

const goldens = fileURLToPath(new URL('../../parity/goldens', import.meta.url));
const all: readonly { model: string; config: object; made: number[][] }[] = golden.cases;

for (const backend of ['cpu', 'wasm']) {
  describeOn(backend, `greedy sequences on ${backend}`, () => {
    // One of each model's two configurations on the one backend, of two models on the other; all in the full test.
    const some = cases(all, (_, i) =>
      backend === 'cpu' ? i % 4 === 0 || i % 4 === 3 : i % 6 === 5,
    );
    for (const { model, config, made } of some) {
      test(`of ${model}: ${JSON.stringify(config)} are Hugging Face's, alone and in batches`, async () => {
        const { network, params } = await loadModel(folderFiles(`${goldens}/${model}`));
        const before = tf.memory().numTensors;
        const { options } = parseGenerationConfig(config, 'config');
        const idsOf = async (prompts: number[][]) => {
          const { sequences } = await generateBatch(network as Generator, prompts, options);
          return sequences.map(({ tokens }) => tokens.map(({ id }) => id));
        };
        expect(await idsOf(golden.prompts)).toEqual(made);
        for (const n of cases([...made.keys()], (n) => n % 25 === 7)) {
          expect(await idsOf([golden.prompts[n]!]), `prompt ${n}`).toEqual([made[n]]);
        }
        expect(tf.memory().numTensors).toBe(before);
        params.dispose();
      });
    }
  });
}
