import { createModel, encoderModel } from '@headwise/models';
import { embed } from '@headwise/text';
import { trainCharacter } from '@headwise/tokenizers';
import OpenAI from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { type Fixture, serveFixture } from '../../fixture/serve-fixture.js';
import type { ServedModel } from '../service.js';

async function open(more?: readonly ServedModel[]): Promise<Fixture & { client: OpenAI }> {
  const fixture = await serveFixture({ more });
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

test('an input beyond the context is cut off where the request says so', async () => {
  const { client } = await open();
  const long = 'abcdefgh '.repeat(30);
  const input = { model: 'tiny', encoding_format: 'float' as const };
  const [whole] = (await client.embeddings.create({ ...input, input: long.slice(0, 128) })).data;
  const asked = { ...input, input: long, truncate: true };
  const { data, usage } = await client.embeddings.create(asked);
  expect(data).toEqual([whole]);
  expect(usage.prompt_tokens).toBe(128);
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

test('an encoder gives vectors, and is refused by name where text is asked for', async () => {
  const tokenizer = await trainCharacter(['abcdefgh ']);
  const sizes = { hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2 };
  const config = { ...sizes, intermediate_size: 8, max_position_embeddings: 32 };
  const made = encoderModel(
    createModel({ model_type: 'bert', vocab_size: tokenizer.vocabSize, ...config }, { seed: 1 }),
  );
  onTestFinished(() => made.params.dispose());
  const model = { network: made.network, embedding: { pooling: 'cls' as const } };
  const { client } = await open([{ name: 'reader', model, tokenizer }]);
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['tiny', 'reader']);
  const input = Array.from({ length: 70 }, (_, i) =>
    'abcdefgh '.repeat(3).slice(i % 9, 9 + (i % 17)),
  );
  const expected = await embed(model, tokenizer, input, { normalize: true });
  for (const format of ['float', 'base64'] as const) {
    const { data } = await client.embeddings.create({
      ...{ model: 'reader', input, encoding_format: format },
    });
    expect(data).toHaveLength(70);
    for (const { embedding, index } of data) {
      const vector = typeof embedding === 'string' ? floatsOf(embedding) : embedding;
      expect(near(vector, expected[index]!)).toBeLessThan(1e-5);
    }
  }
  const refused = {
    status: 400,
    code: 'model_not_supported',
    message: expect.stringContaining("'reader' is an encoder and writes no text"),
  };
  const messages = [{ role: 'user' as const, content: 'a' }];
  const asked = { model: 'reader', messages };
  await expect(client.completions.create({ model: 'reader', prompt: 'a' })).rejects.toMatchObject(
    refused,
  );
  await expect(client.chat.completions.create(asked)).rejects.toMatchObject(refused);
  await expect(client.responses.create({ model: 'reader', input: 'a' })).rejects.toMatchObject(
    refused,
  );
  const message = await fetch(`${client.baseURL}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...asked, max_tokens: 1 }),
  });
  expect([message.status, await message.json()]).toMatchObject([400, { type: 'error' }]);
});

/** The client leaves base64 as it is where it is asked for by name. */
const floatsOf = (base64: string) =>
  Array.from(new Float32Array(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)).buffer));
