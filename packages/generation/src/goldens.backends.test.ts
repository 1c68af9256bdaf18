import { type LoadedModel, languageModel, loadModel } from '@headwise/models';
import { describeBackends } from '@headwise/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import base from '../../models/src/goldens/gpt2.json' with { type: 'json' };
import { generate } from './generate.js';
import { parseGenerationConfig } from './generation-config.js';
import golden from './goldens/generate.json' with { type: 'json' };

describeBackends("Hugging Face's generate, greedily", () => {
  let model: LoadedModel;
  beforeAll(async () => {
    const folder = Object.entries(base.cases[0]!.folder).map(
      ([name, text]) => new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name),
    );
    model = await loadModel(folder);
  });
  afterAll(() => model.params.dispose());

  for (const { prompt, config, made } of golden.cases) {
    test(`${JSON.stringify(config)} after ${prompt}`, async () => {
      const { options } = parseGenerationConfig(config, 'generation_config.json');
      const ids: number[] = [];
      for await (const id of generate(languageModel(model).network, prompt, options)) ids.push(id);
      expect(ids).toEqual(made);
    });
  }
});
