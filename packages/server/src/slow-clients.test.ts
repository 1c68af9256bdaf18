import { request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { type FixtureOptions, serveFixture } from '../fixture/serve-fixture.js';

async function open(options?: FixtureOptions) {
  const fixture = await serveFixture(options);
  onTestFinished(() => fixture.close());
  return fixture;
}

const completion = { model: 'tiny', prompt: 'abc', max_tokens: 100, temperature: 0 };
const headers = { 'content-type': 'application/json' };

test('a body that comes too slowly is refused with 408, and holds nothing', async () => {
  const { url, server } = await open({ limits: { receive: 50 } });
  const text = JSON.stringify(completion);
  const { status, body } = await new Promise<{ status: number; body: string }>((done, failed) => {
    const length = { 'content-length': text.length };
    const post = request(`${url}/v1/completions`, {
      method: 'POST',
      headers: { ...headers, ...length },
    });
    post.on('error', failed);
    post.on('response', (response) => {
      let body = '';
      response.on('data', (piece) => {
        body += piece;
      });
      response.on('end', () => {
        done({ status: response.statusCode!, body });
        post.destroy();
      });
    });
    // The rest never comes.
    post.write(text.slice(0, 20));
  });
  expect(status).toBe(408);
  expect(JSON.parse(body).error).toMatchObject({
    message: 'the body did not arrive within 0.05 s, which is the limit',
    type: 'invalid_request_error',
    code: 'request_timeout',
  });
  expect(server.load).toEqual({ running: 0, waiting: 0 });
});

test('a client that does not read its stream is given up, and does not hold the others', async () => {
  const { server, alone } = await open({ limits: { unread: 8 } });
  const ask = (more: object = {}) =>
    server.fetch(
      new Request('http://localhost/v1/completions', {
        ...{ method: 'POST', headers, body: JSON.stringify({ ...completion, ...more }) },
      }),
    );
  const unread = await ask({ stream: true });
  const beside = (await (await ask({ max_tokens: 20 })).json()) as { choices: { text: string }[] };
  expect(beside.choices[0]!.text).toBe(await alone('abc', 20));
  await expect.poll(() => server.load).toEqual({ running: 0, waiting: 0 });
  const events = (await unread.text()).trim().split('\n\n');
  expect(events.length).toBeLessThan(14);
  expect(JSON.parse(events.at(-1)!.slice('data: '.length)).error).toMatchObject({
    message: '9 tokens were left unread',
    code: 'slow_reader',
  });
});
