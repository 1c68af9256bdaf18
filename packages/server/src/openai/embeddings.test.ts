import { embed } from '@headwise/text';
import OpenAI from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { type Fixture, serveFixture } from '../../fixture/serve-fixture.js';

async function open(): Promise<Fixture & { client: OpenAI }> {
  const fixture = await serveFixture();
  onTestFinished(() => fixture.close());
  const client = new OpenAI({ baseURL: `${fixture.url}/v1`, apiKey: 'none', maxRetries: 0 });
  return { ...fixture, client };
}

const near = (found: readonly number[], expected: ArrayLike<number>) =>
  Math.max(...found.map((x, i) => Math.abs(x - expected[i]!)));

test('inputs of every form get the vector that the model gives alone, as floats and as base64', async () => {
  const { client, tokenizer, model: served } = await open();
  const texts = ['abc', 'a longer text'];
  const expected = await embed(served, tokenizer, texts, { normalize: true });
  const ids = texts.map((text) => [...tokenizer.encode(text).ids]);
  for (const input of [texts, ids]) {
    for (const format of ['float', undefined] as const) {
      // Without a format, the client asks for base64 and decodes it.
      const { data, usage } = await client.embeddings.create({
        model: 'tiny',
        input,
        ...(format ? { encoding_format: format } : {}),
      });
      expect(data.map(({ index }) => index)).toEqual([0, 1]);
      for (const { embedding, index } of data) {
        expect(embedding).toHaveLength(16);
        expect(near(embedding, expected[index]!)).toBeLessThan(1e-5);
      }
      expect(usage).toEqual({ prompt_tokens: 16, total_tokens: 16 });
    }
  }
  for (const input of [texts[0]!, ids[0]!]) {
    const { data } = await client.embeddings.create({ model: 'tiny', input, dimensions: 16 });
    expect(data).toHaveLength(1);
    expect(near(data[0]!.embedding, expected[0]!)).toBeLessThan(1e-5);
  }
});

test('embeddings run beside answers, and neither changes the other', async () => {
  const { client, alone } = await open();
  const expected = await alone('abc', 40);
  const request = { model: 'tiny', temperature: 0, max_tokens: 40, prompt: 'abc' };
  const input = { model: 'tiny', input: 'abc' };
  const quiet = await client.embeddings.create(input);
  const [answer, ...vectors] = await Promise.all([
    client.completions.create(request),
    ...Array.from({ length: 6 }, () => client.embeddings.create(input)),
  ]);
  expect(answer.choices[0]!.text).toBe(expected);
  for (const { data } of vectors) expect(data).toEqual(quiet.data);
});

test('what would change a vector and is not supported is refused by name', async () => {
  const { client } = await open();
  const refusal = (more: object) =>
    client.embeddings.create({ model: 'tiny', input: 'abc', ...more } as never);
  const expected: [object, object][] = [
    [{ dimensions: 8 }, { param: 'dimensions', message: /'dimensions' is 8; .* have 16/ }],
    [{ input_type: 'query' }, { param: 'input_type', code: 'unsupported_field' }],
    [
      { other: 1, more: 2 },
      { code: 'unknown_field', message: /'other', 'more'/ },
    ],
    [{ encoding_format: 'int8' }, { param: 'encoding_format' }],
    [{ input: [] }, { param: 'input' }],
    [{ input: '' }, { message: /texts\[0\] has no tokens/ }],
    [{ input: [9999] }, { message: /9999/ }],
    [{ input: 'a'.repeat(200) }, { message: /200 tokens; .* 128/ }],
  ];
  for (const [more, { message = /./, ...error }] of expected as [object, { message?: RegExp }][]) {
    const given = await refusal(more).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(given, JSON.stringify(more).slice(0, 40)).toMatchObject({ status: 400, ...error });
    expect((given as Error).message).toMatch(message);
  }
  await expect(refusal({ model: 'other' })).rejects.toMatchObject({ status: 404 });
});
