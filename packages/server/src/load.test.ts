import { request } from 'node:http';
import { fullOnly } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import OpenAI from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { type FixtureOptions, serveFixture } from '../fixture/serve-fixture.js';

async function open(options?: FixtureOptions) {
  const fixture = await serveFixture(options);
  onTestFinished(() => fixture.close());
  const client = new OpenAI({ baseURL: `${fixture.url}/v1`, apiKey: 'none', maxRetries: 0 });
  return { ...fixture, client };
}

/**
 * Clients that ask, all at once and each again and again, for greedy answers; each must be the one that the model gives alone.
 *
 * @param prefixes bytes of earlier prompts that are kept
 */
async function manyClients(
  clients: number,
  prefixes: number,
  goesOn: (round: number) => boolean,
): Promise<number> {
  const { client, alone } = await open({ limits: { running: 16, prefixes } });
  const prompts = ['a', 'bc', 'call me', 'call me ishmael', 'call me ishmael some years ago'];
  const lengths = [2, 3, 5];
  const expected = await Promise.all(
    prompts.map((prompt) => Promise.all(lengths.map((tokens) => alone(prompt, tokens)))),
  );
  let answered = 0;
  await Promise.all(
    Array.from({ length: clients }, async (_, n) => {
      for (let round = 0; goesOn(round); round++) {
        const which = (n + round) % prompts.length;
        const length = (n + 2 * round) % lengths.length;
        const tokens = lengths[length]!;
        const asked = {
          model: 'tiny',
          prompt: prompts[which]!,
          max_tokens: tokens,
          temperature: 0,
        };
        let text = '';
        if (n % 2 === 0) text = (await client.completions.create(asked)).choices[0]!.text;
        else {
          const stream = await client.completions.create({ ...asked, stream: true });
          for await (const { choices } of stream) text += choices[0]?.text ?? '';
        }
        expect(text, asked.prompt).toBe(expected[which]![length]);
        answered++;
      }
    }),
  );
  return answered;
}

// Two layers of keys and values of width 16. The prompts begin alike, and some of them are always forgotten for others.
const tokenBytes = 2 * 2 * 16 * 4;
const few = 20 * tokenBytes;

test('50 clients at once get what each prompt gets alone', async () => {
  expect(await manyClients(50, few, (round) => round < 1)).toBe(50);
});

for (const [what, prefixes] of [
  ['all prompts kept', 2 ** 28],
  ['few prompts kept', few],
] as const) {
  fullOnly(
    `50 clients for a minute get what each prompt gets alone, ${what}`,
    async () => {
      const end = performance.now() + 60_000;
      const answered = await manyClients(50, prefixes, () => performance.now() < end);
      console.log(`${answered} answers, ${what}`);
      expect(answered).toBeGreaterThan(200);
    },
    180_000,
  );
}

test('a client that is killed in mid-stream leaves nothing, and the others their answers', async () => {
  const { url, client, alone, server } = await open();
  const asked = { model: 'tiny', prompt: 'abc', max_tokens: 40, temperature: 0 };
  const expected = await alone('abc', 40);
  await client.completions.create({ ...asked, max_tokens: 1 });
  const before = tf.memory().numTensors;
  const beside = client.completions.create(asked);
  const killed = request(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  });
  killed.on('error', () => {});
  killed.end(JSON.stringify({ ...asked, stream: true }));
  await new Promise<void>((came) => {
    killed.on('response', (response) => {
      response.on('error', () => {});
      response.once('data', () => came());
    });
  });
  while (server.load.running < 2) await new Promise((done) => setTimeout(done, 1));
  killed.destroy();
  while (server.load.running > 1) await new Promise((done) => setTimeout(done, 1));
  const stream = await client.completions.create({ ...asked, stream: true });
  for await (const _ of stream) break;
  expect((await beside).choices[0]!.text).toBe(expected);
  while (server.load.running > 0) await new Promise((done) => setTimeout(done, 1));
  // The batch is freed with its last sequence.
  await new Promise((done) => setTimeout(done, 20));
  expect(tf.memory().numTensors).toBe(before);
});

test('what has no room waits, and what exceeds the queue is refused until there is room', async () => {
  const { client, server } = await open({ limits: { running: 1, waiting: 1 } });
  const asked = { model: 'tiny', prompt: 'abc', max_tokens: 20, temperature: 0 };
  const answers = [client.completions.create(asked), client.completions.create(asked)];
  while (server.load.running + server.load.waiting < 2)
    await new Promise((done) => setTimeout(done, 1));
  const refused = await client.completions.create(asked).catch((error) => error);
  expect(refused).toMatchObject({ status: 429, code: 'server_busy' });
  expect(refused.headers.get('retry-after')).toBe('1');
  for (const { choices } of await Promise.all(answers)) expect(choices[0]!.text).toHaveLength(20);
  expect((await client.completions.create(asked)).choices[0]!.text).toHaveLength(20);
});

test('while it shuts down, running answers end or are cut off, and new ones are refused', async () => {
  const { client, server } = await open();
  const asked = { model: 'tiny', prompt: 'abc', max_tokens: 30, temperature: 0 };
  const running = client.completions.create(asked);
  while (server.load.running < 1) await new Promise((done) => setTimeout(done, 1));
  const closed = server.close(60_000);
  await expect(client.completions.create(asked)).rejects.toMatchObject({ status: 503 });
  expect((await running).choices[0]!.text).toHaveLength(30);
  await closed;
  const other = await open();
  const cut = expect(
    other.client.completions.create({ ...asked, max_tokens: 120 }),
  ).rejects.toMatchObject({ status: 503 });
  while (other.server.load.running < 1) await new Promise((done) => setTimeout(done, 1));
  await other.server.close(0);
  await cut;
});
