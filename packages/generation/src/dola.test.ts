import { fileURLToPath } from 'node:url';
import { createModel, languageModel, loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { cases } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { generate } from './generate.js';
import { generateBatch } from './generate-batch.js';
import { parseGenerationConfig } from './generation-config.js';
import golden from './goldens/dola.json' with { type: 'json' };
import type { GenerateOptions } from './options.js';

const goldens = fileURLToPath(new URL('../../parity/goldens', import.meta.url));

// One configuration of each model; all in the full test.
for (const { model, config, prompts, made } of cases(golden.cases, (_, i) => i % 6 === 0)) {
  test(`DoLa of ${model}: ${JSON.stringify(config)} gives Hugging Face's sequences`, async () => {
    const { network, params } = languageModel(await loadModel(folderFiles(`${goldens}/${model}`)));
    const before = tf.memory().numTensors;
    const { options } = parseGenerationConfig(config, 'config');
    for (const [n, prompt] of prompts.entries()) {
      const ids: number[] = [];
      for await (const id of generate(network, prompt, options)) ids.push(id);
      expect(ids, `prompt ${n}`).toEqual(made[n]);
    }
    expect(tf.memory().numTensors).toBe(before);
    params.dispose();
  });
}

test('layers that cannot be compared are named', async () => {
  const sizes = { vocab_size: 5, n_positions: 8, n_embd: 8, n_layer: 3, n_head: 2 };
  const { network, params } = createModel({ model_type: 'gpt2', ...sizes }, { seed: 2 });
  const refused: [GenerateOptions, string][] = [
    [{ dolaLayers: [] }, "dolaLayers is []; expected 'low', 'high', or a list of layers from 0"],
    [{ dolaLayers: [-1] }, "dolaLayers is [-1]; expected 'low', 'high'"],
    [{ dolaLayers: [3] }, 'dolaLayers has layer 3; expected layers below 3, the last'],
    [{ dolaLayers: 'low' }, "dolaLayers is 'low', which no layer of 3 is; expected a list"],
    [{ dolaLayers: 'high', guidanceScale: 2 }, 'dolaLayers is given with guidanceScale'],
  ];
  for (const [options, message] of refused) {
    await expect(generate(network, [1], options).next()).rejects.toThrow(message);
  }
  await expect(generateBatch(network, [[1]], { dolaLayers: 'high' })).rejects.toThrow(
    'dolaLayers is given for a batch; expected none: DoLa is for generate and stream',
  );
  params.dispose();
});
