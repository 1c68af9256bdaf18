import { AdaptedModel, createModel, Lora } from '@headwise/models';
import { generateText } from '@headwise/text';
import { trainCharacter } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import OpenAI from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { serveFixture } from '../fixture/serve-fixture.js';

test('an adapter is a model of its own name over the weights of another, and both answer at once', async () => {
  const tokenizer = await trainCharacter(['abcdefgh ']);
  const sizes = { n_positions: 64, n_embd: 16, n_layer: 2, n_head: 2, initializer_range: 0.5 };
  const config = { model_type: 'gpt2', vocab_size: tokenizer.vocabSize, ...sizes } as const;
  const base = createModel(config, { seed: 3 });
  const lora = new Lora(base.params, { rank: 2, targets: /attn/ });
  // A new adapter changes nothing.
  for (const [path, variable] of Object.entries(lora.params.named())) {
    tf.tidy(() => variable.assign(tf.randomNormal(variable.shape, 0, 1, 'float32', path.length)));
  }
  const adapted = { network: new AdaptedModel(base.network, lora) };
  const { url, close } = await serveFixture({
    more: [
      { name: 'base', model: base, tokenizer },
      { name: 'org/tuned', model: adapted, tokenizer },
    ],
  });
  onTestFinished(async () => {
    await close();
    lora.params.dispose();
    base.params.dispose();
  });
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
  const asked = { prompt: 'abc', max_tokens: 12, temperature: 0 };
  const alone = (model: Parameters<typeof generateText>[0]) =>
    generateText(model, tokenizer, 'abc', { maxNewTokens: 12, temperature: 0 });
  const [own, tuned] = await Promise.all(
    ['base', 'org/tuned'].map((model) => client.completions.create({ model, ...asked })),
  );
  expect([own!.model, own!.choices[0]!.text]).toEqual(['base', await alone(base)]);
  expect([tuned!.model, tuned!.choices[0]!.text]).toEqual(['org/tuned', await alone(adapted)]);
  expect(tuned!.choices[0]!.text).not.toBe(own!.choices[0]!.text);
  expect(await client.models.retrieve('org/tuned')).toMatchObject({ id: 'org/tuned' });
});
