import Anthropic from '@anthropic-ai/sdk';
import { ChatTemplate } from '@headwise/tokenizers';
import { expect, onTestFinished, test } from 'vitest';
import { type Fixture, type FixtureOptions, serveFixture } from '../../fixture/serve-fixture.js';

const body =
  '{% for m in messages %}{{ m.role[0] }}:{{ m.content }}{% for c in m.tool_calls %}[{{ c.function.name }}]{% endfor %}|{% endfor %}{% if add_generation_prompt %}a:{% endif %}';
const chatTemplate = new ChatTemplate({ chat_template: body });
const toolTemplate = new ChatTemplate({
  chat_template: `{% if tools %}{{ tools[0].function.name }}{% endif %}${body}`,
});

async function open(options: FixtureOptions = {}): Promise<Fixture & { client: Anthropic }> {
  const fixture = await serveFixture({ chatTemplate, ...options });
  onTestFinished(() => fixture.close());
  return {
    ...fixture,
    client: new Anthropic({ baseURL: fixture.url, apiKey: 'none', maxRetries: 0 }),
  };
}

const asked = { model: 'tiny', max_tokens: 12, top_k: 1 } as const;
const user = (content: string) => ({ role: 'user' as const, content });

test('an answer is what the model alone gives after the template, whole or streamed', async () => {
  const { client, alone } = await open();
  const messages = [user('abc'), { role: 'assistant' as const, content: 'de' }, user('f')];
  const request = { ...asked, system: [{ type: 'text' as const, text: 'hi' }], messages };
  const prompt = 's:hi|u:abc|a:de|u:f|a:';
  const text = await alone(prompt, 12);
  const whole = await client.messages.create(request);
  expect(whole).toMatchObject({
    type: 'message',
    role: 'assistant',
    model: 'tiny',
    content: [{ type: 'text', text }],
    stop_reason: 'max_tokens',
    stop_sequence: null,
    usage: { input_tokens: prompt.length, output_tokens: 12 },
  });
  const stream = client.messages.stream(request);
  const types: string[] = [];
  let streamed = '';
  stream.on('streamEvent', ({ type }) => types.push(type));
  stream.on('text', (delta) => {
    streamed += delta;
  });
  const final = await stream.finalMessage();
  expect({ content: final.content, stop: final.stop_reason, usage: final.usage }).toMatchObject({
    content: whole.content,
    stop: 'max_tokens',
    usage: { input_tokens: prompt.length, output_tokens: 12 },
  });
  expect(streamed).toBe(text);
  const ends = ['content_block_stop', 'message_delta', 'message_stop'];
  expect(types.slice(0, 3)).toEqual([
    'message_start',
    'content_block_start',
    'content_block_delta',
  ]);
  expect(types.slice(-3)).toEqual(ends);
});

test('a stop sequence ends an answer and is named', async () => {
  const { client, alone } = await open();
  const text = await alone('u:abc|a:', 12);
  // Two characters that do not come before.
  const at = [3, 4, 5, 6, 7, 8].find((i) => text.indexOf(text.slice(i, i + 2)) === i)!;
  const stop = text.slice(at, at + 2);
  const request = { ...asked, messages: [user('abc')], stop_sequences: ['@@', stop] };
  const whole = await client.messages.create(request);
  expect(whole).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: stop });
  expect(whole.content).toMatchObject([{ text: text.slice(0, at) }]);
  const final = await client.messages.stream(request).finalMessage();
  expect(final).toMatchObject({ stop_reason: 'stop_sequence', content: whole.content });
});

const tools = [{ name: 'sky', description: 'the sky', input_schema: { type: 'object' as const } }];

test('functions go through the template, and calls and results come back', async () => {
  const answer = '{"name":"sky","parameters":{"at":1}}';
  const { client, tokenizer } = await open({
    chatTemplate: toolTemplate,
    writes: answer,
  });
  const request = { ...asked, max_tokens: 50, messages: [user('q')], tools };
  const whole = await client.messages.create(request);
  expect(whole).toMatchObject({
    stop_reason: 'tool_use',
    content: [{ type: 'tool_use', name: 'sky', input: { at: 1 } }],
  });
  const final = await client.messages.stream(request).finalMessage();
  const [call] = final.content;
  expect(call).toMatchObject({ type: 'tool_use', name: 'sky', input: { at: 1 } });
  const id = (call as { id: string }).id;
  const result = { type: 'tool_result' as const, tool_use_id: id, content: 'blue' };
  const next = await client.messages.create({
    ...asked,
    max_tokens: 40,
    messages: [
      user('q'),
      { role: 'assistant', content: final.content },
      { role: 'user', content: [result] },
    ],
  });
  const prompt = 'u:q|a:[sky]|t:blue|a:';
  expect(next.usage.input_tokens).toBe(tokenizer.encode(prompt).ids.length);
});

test('errors have the form of the API, and what cannot be honoured is refused by name', async () => {
  const { client } = await open();
  const refused = async (more: object, status: number, type: string, message: string | RegExp) => {
    const request = { ...asked, messages: [user('a')], ...more };
    const error = await client.messages.create(request).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(Anthropic.APIError);
    expect({ status: error.status, body: error.error }).toMatchObject({
      status,
      body: { type: 'error', error: { type, message: expect.stringMatching(message) } },
    });
  };
  const invalid = 'invalid_request_error';
  await refused({ model: 'none' }, 404, 'not_found_error', "no model is named 'none'");
  await refused(
    { colour: 1, container: 'c' },
    400,
    invalid,
    "unknown fields: 'colour', 'container'",
  );
  await refused({ max_tokens: 0 }, 400, invalid, '^max_tokens: ');
  await refused({ max_tokens: 200 }, 400, invalid, "the model's context of 128 leaves");
  await refused({ tools }, 400, invalid, "the chat template of 'tiny' does not write tools");
  await refused({ tool_choice: { type: 'any' } }, 400, invalid, 'there are no tools');
  await refused({ tool_choice: { type: 'x' } }, 400, invalid, "expected the type 'auto'");
  const last = [user('a'), { role: 'assistant', content: 'b' }];
  await refused({ messages: last }, 400, invalid, 'messages ends with the assistant');
  const image = { type: 'image', source: { type: 'url', url: 'x' } };
  await refused({ messages: [{ role: 'user', content: [image] }] }, 400, invalid, '^messages');
  const other = { type: 'tool_result', tool_use_id: 'x' };
  await refused(
    { messages: [{ role: 'user', content: [other] }] },
    400,
    invalid,
    'no tool_use before',
  );
  const bare = await open({ chatTemplate: undefined });
  await expect(bare.client.messages.create({ ...asked, messages: [user('a')] })).rejects.toThrow(
    "'tiny' has no chat template",
  );
});

test('a key is taken from x-api-key, and a client that goes away leaves its place', async () => {
  const { url, client, server } = await open({ apiKey: 'secret' });
  const request = { ...asked, max_tokens: 40, messages: [user('a')] };
  await expect(client.messages.create(request)).rejects.toMatchObject({ status: 401 });
  const known = new Anthropic({ baseURL: url, apiKey: 'secret', maxRetries: 0 });
  const stream = known.messages.stream(request);
  stream.on('text', () => stream.abort());
  await expect(stream.finalMessage()).rejects.toThrow();
  await expect.poll(() => server.load).toEqual({ running: 0, waiting: 0 });
});
