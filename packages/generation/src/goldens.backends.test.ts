import { type LoadedModel, languageModel, loadModel } from '@headwise/models';
import { describeBackends } from '@headwise/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generate } from './generate.js';
import { parseGenerationConfig } from './generation-config.js';
import golden from './goldens/generate.json' with { type: 'json' };

const [reference] = golden.cases;

interface Generation {
  prompt: readonly number[];
  config: object;
  negativePrompt?: readonly number[];
  made: readonly number[];
}

describeBackends("Hugging Face's generate, greedily", () => {
  let model: LoadedModel;
  beforeAll(async () => {
    const folder = Object.entries(reference!.folder).map(
      ([name, text]) => new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name),
    );
    model = await loadModel(folder);
  });
  afterAll(() => model.params.dispose());

  for (const { prompt, config, negativePrompt, made } of reference!.generations as Generation[]) {
    test(`${JSON.stringify({ ...config, negativePrompt })} after ${prompt}`, async () => {
      const { options } = parseGenerationConfig(config, 'generation_config.json');
      const ids: number[] = [];
      const given = { ...options, negativePrompt };
      for await (const id of generate(languageModel(model).network, prompt, given)) ids.push(id);
      expect(ids).toEqual(made);
    });
  }
});
