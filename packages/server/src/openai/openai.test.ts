import OpenAI from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { type Fixture, serveFixture } from '../../fixture/serve-fixture.js';

async function open(
  options?: Parameters<typeof serveFixture>[0],
): Promise<Fixture & { client: OpenAI }> {
  const fixture = await serveFixture(options);
  onTestFinished(() => fixture.close());
  const client = new OpenAI({ baseURL: `${fixture.url}/v1`, apiKey: 'none', maxRetries: 0 });
  return { ...fixture, client };
}

const greedy = { model: 'tiny', temperature: 0, max_tokens: 12 } as const;

test('models are listed and found by their name', async () => {
  const { client } = await open();
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['tiny']);
  expect(await client.models.retrieve('tiny')).toMatchObject({ id: 'tiny', object: 'model' });
  await expect(client.models.retrieve('other')).rejects.toMatchObject({
    status: 404,
    code: 'model_not_found',
  });
});

test('a completion is what the model alone gives, whole or streamed', async () => {
  const { client, alone } = await open();
  const expected = await alone('abc', 12);
  const whole = await client.completions.create({ ...greedy, prompt: 'abc' });
  expect(whole.choices).toEqual([
    { index: 0, text: expected, logprobs: null, finish_reason: 'length' },
  ]);
  expect(whole.usage).toEqual({ prompt_tokens: 3, completion_tokens: 12, total_tokens: 15 });
  const stream = await client.completions.create({
    ...greedy,
    prompt: 'abc',
    stream: true,
    stream_options: { include_usage: true },
  });
  let [text, finish, usage] = ['', '', {}];
  for await (const { choices, usage: used } of stream) {
    text += choices[0]?.text ?? '';
    finish = choices[0]?.finish_reason ?? finish;
    usage = used ?? usage;
  }
  expect({ text, finish, usage }).toEqual({ text: expected, finish: 'length', usage: whole.usage });
});
