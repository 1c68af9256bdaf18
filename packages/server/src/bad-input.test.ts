import { request } from 'node:http';
import { ChatTemplate } from '@headwise/tokenizers';
import { expect, onTestFinished, test } from 'vitest';
import { type FixtureOptions, serveFixture } from '../fixture/serve-fixture.js';

interface Failure {
  error: { message: string; type: string; param: string | null; code: string | null };
}

async function open(options?: FixtureOptions) {
  const fixture = await serveFixture(options);
  onTestFinished(() => fixture.close());
  const ask = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${fixture.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, ...((await response.json()) as Failure) };
  };
  return { ...fixture, ask };
}

const completion = { model: 'tiny', prompt: 'abc', max_tokens: 2 };

test('what cannot be used is refused with 400 and a body in the form of the API', async () => {
  const { ask, server } = await open();
  const cases: [body: object | string, message: string, param?: string][] = [
    ['{"model": ', 'the body is not JSON'],
    ['[]', 'expected object'],
    [{ ...completion, model: 3 }, 'model: Invalid input', 'model'],
    [{ model: 'tiny' }, 'expected a text, ids of tokens', 'prompt'],
    [{ ...completion, prompt: '' }, 'the prompt is empty'],
    [{ ...completion, prompt: [] }, 'expected a text, ids of tokens', 'prompt'],
    [{ ...completion, prompt: 'a'.repeat(200) }, "200 tokens; the model's context holds 128"],
    [{ ...completion, max_tokens: 127 }, 'the prompt has 3 tokens and 127 new ones are asked for'],
    [{ ...completion, prompt: [1, 9999] }, '9999'],
    [{ ...completion, temperature: -1 }, 'temperature is -1', 'temperature'],
    [{ ...completion, top_p: 0 }, 'top_p is 0; expected', 'top_p'],
    [{ ...completion, top_p: 2 }, 'top_p is 2; expected', 'top_p'],
    [{ ...completion, top_k: 0 }, 'top_k', 'top_k'],
    [{ ...completion, logit_bias: { x: 1 } }, 'logit_bias', 'logit_bias.x'],
    [{ ...completion, logit_bias: { 9999: 1 } }, 'logit_bias: id 9999', 'logit_bias'],
    [{ ...completion, min_tokens: 9 }, 'min_tokens is 9, above max_tokens, 2', 'min_tokens'],
    [{ ...completion, min_p: 2 }, 'min_p is 2; expected', 'min_p'],
    [{ ...completion, topP: 0 }, "unknown fields: 'topP'", 'topP'],
    [{ ...completion, stop: '' }, 'stop has an empty text', 'stop'],
    [{ ...completion, stop: Array(17).fill('a') }, 'stop: expected a text, or up to 16', 'stop'],
    // More than there is ever room for is not to be tried again.
    [{ ...completion, n: 73 }, '73 sequences at once; the limits of 8 that run and 64 that wait'],
    [{ ...completion, n: 3, best_of: 2 }, 'best_of is 2 and n is 3', 'best_of'],
    [{ ...completion, n: 2, best_of: 3, stream: true }, 'with stream', 'best_of'],
    [{ ...completion, suffix: 'x' }, "'suffix' is not supported", 'suffix'],
    [{ ...completion, colour: 1, shape: 2 }, "unknown fields: 'colour', 'shape'", 'colour'],
  ];
  for (const [body, message, param = null] of cases) {
    const { status, error } = await ask('/v1/completions', body);
    expect(error.message).toContain(message);
    expect({ status, type: error.type }).toEqual({ status: 400, type: 'invalid_request_error' });
    if (param !== null) expect(error.param).toBe(param);
  }
  expect(server.load).toEqual({ running: 0, waiting: 0 });
  // Null counts as absent, and a user changes nothing.
  const fine = await ask('/v1/completions', { ...completion, suffix: null, user: 'me' });
  expect(fine.status).toBe(200);
  // Streams are refused before they begin.
  const stream = await ask('/v1/completions', { ...completion, temperature: -1, stream: true });
  expect(stream.status).toBe(400);
});

test('chats that a model or its template cannot answer are refused by name', async () => {
  const chat = { model: 'tiny', messages: [{ role: 'user', content: 'abc' }] };
  const none = await open();
  const path = '/v1/chat/completions';
  expect((await none.ask(path, chat)).error.message).toContain('has no chat template');
  const template = '{% for m in messages %}{{ m.content }}{% endfor %}';
  const { ask } = await open({ chatTemplate: new ChatTemplate({ chat_template: template }) });
  const weather = { type: 'function', function: { name: 'weather' } };
  const image = [{ type: 'image_url', image_url: { url: 'x' } }];
  const cases: [body: object, message: string][] = [
    [{ ...chat, tools: [weather] }, 'does not write tools'],
    [{ ...chat, functions: [] }, "'functions' is not supported: give them as 'tools'"],
    [{ ...chat, tool_choice: 'required', tools: [] }, 'tool_choice asks for a call'],
    [{ ...chat, messages: [] }, 'messages'],
    [{ ...chat, messages: [{ role: 'user', content: image }] }, 'the models read nothing else'],
    [{ ...chat, messages: [{ role: 'nobody', content: 'x' }] }, 'messages.0.role'],
    [
      { ...chat, max_tokens: 2, max_completion_tokens: 3 },
      'max_tokens is 2 and max_completion_tokens is 3; expected one of the two',
    ],
    [{ ...chat, top_logprobs: 2 }, 'top_logprobs is given without logprobs'],
    [{ ...chat, reasoning_effort: 'low' }, "'reasoning_effort' is not supported"],
  ];
  for (const [body, message] of cases) {
    const { status, error } = await ask(path, body);
    expect(error.message).toContain(message);
    expect(status).toBe(400);
  }
});

test('bodies beyond the limit are refused without being read, with or without their length', async () => {
  const { ask, url } = await open({ limits: { body: 10_000 } });
  const large = await ask('/v1/completions', { ...completion, prompt: 'a'.repeat(20_000) });
  expect([large.status, large.error.code]).toEqual([413, 'body_too_large']);
  // 100 MB, in pieces: the answer comes long before the last of them.
  let sent = 0;
  const status = await new Promise<number>((answered, failed) => {
    const post = request(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    post.on('response', (response) => {
      response.resume();
      answered(response.statusCode!);
      post.destroy();
    });
    post.on('error', failed);
    const piece = Buffer.alloc(100_000, 'a');
    const send = () => {
      sent += piece.length;
      if (post.destroyed || sent > 100e6) return;
      post.write(piece, () => setImmediate(send));
    };
    send();
  });
  expect(status).toBe(413);
  expect(sent).toBeLessThan(90e6);
});

test('other paths, methods, content types and keys have their statuses', async () => {
  const { ask, url } = await open({ apiKey: 'secret' });
  const key = { authorization: 'Bearer secret' };
  expect((await ask('/v1/completions', completion)).error.code).toBe('missing_api_key');
  const wrong = await ask('/v1/completions', completion, { authorization: 'Bearer secre' });
  expect([wrong.status, wrong.error.type]).toEqual([401, 'authentication_error']);
  expect((await ask('/v1/completions', completion, key)).status).toBe(200);
  expect((await ask('/v1/nothing', {}, key)).status).toBe(404);
  expect((await ask('/v1/completions', { ...completion, model: 'x' }, key)).status).toBe(404);
  const text = await ask('/v1/completions', completion, { ...key, 'content-type': 'text/plain' });
  expect(text.status).toBe(415);
  const gzip = { ...key, 'content-encoding': 'gzip' };
  const compressed = await ask('/v1/completions', completion, gzip);
  expect(compressed.status).toBe(415);
  expect(compressed.error.message).toContain("the content encoding is 'gzip'; expected none");
  const got = await fetch(`${url}/v1/completions`, { headers: key });
  expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
  expect(got.headers.get('access-control-allow-origin')).toBe(null);
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
  const metrics = await (await fetch(`${url}/metrics`, { headers: key })).text();
  expect(metrics).toContain('headwise_requests_total{path="/v1/completions",status="401"} 2');
  expect(metrics).toContain('headwise_generated_tokens_total 2');
  expect(metrics).toMatch(/^headwise_first_token_seconds_count 1$/m);
});
