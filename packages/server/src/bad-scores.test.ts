import { createModel } from '@headwise/models';
import { trainCharacter } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { expect, onTestFinished, test } from 'vitest';
import { serveFixture } from '../fixture/serve-fixture.js';

test('scores that are not numbers are an error of the answer, never a token, and other models go on', async () => {
  const tokenizer = await trainCharacter(['abcdefgh ']);
  const sizes = { n_positions: 32, n_embd: 8, n_layer: 1, n_head: 2 };
  const config = { model_type: 'gpt2', vocab_size: tokenizer.vocabSize, ...sizes } as const;
  const broken = createModel(config, { seed: 1 });
  const norm = Object.values(broken.params.named()).at(-1)!;
  tf.tidy(() => norm.assign(tf.fill(norm.shape, Number.NaN)));
  const reported: unknown[] = [];
  const more = [{ name: 'broken', model: broken, tokenizer }];
  const { url, alone, close } = await serveFixture({
    more,
    report: (error) => reported.push(error),
  });
  onTestFinished(async () => {
    await close();
    broken.params.dispose();
  });
  const ask = async (path: string, body: object) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ max_tokens: 4, temperature: 0, ...body }),
    });
    return { status: response.status, body: await response.text() };
  };
  for (const more of [{}, { stream: true }, { echo: true, logprobs: 1 }, { temperature: 1 }]) {
    const [bad, good] = await Promise.all([
      ask('/v1/completions', { model: 'broken', prompt: 'abc', ...more }),
      ask('/v1/completions', { model: 'tiny', prompt: 'abc' }),
    ]);
    expect(bad.status).toBe(500);
    expect(JSON.parse(bad.body).error).toMatchObject({
      type: 'server_error',
      code: 'generation_failed',
      message: expect.stringContaining('NaN'),
    });
    expect(JSON.parse(good.body).choices[0].text).toBe(await alone('abc', 4));
  }
  expect(reported).toHaveLength(4);
});
