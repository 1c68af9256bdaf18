import { ChatTemplate } from '@headwise/tokenizers';
import OpenAI from 'openai';
import type { ResponseInput, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { expect, onTestFinished, test } from 'vitest';
import { type Fixture, type FixtureOptions, serveFixture } from '../../../fixture/serve-fixture.js';

const chatTemplate = new ChatTemplate({
  chat_template:
    '{% if tools %}{{ tools[0].function.name }}{% endif %}{% for m in messages %}{{ m.role[0] }}:{{ m.content }}{% for c in m.tool_calls %}[{{ c.function.name }}{{ c.function.arguments.at }}]{% endfor %}|{% endfor %}{% if add_generation_prompt %}a:{% endif %}',
});

async function open(options: FixtureOptions = {}): Promise<Fixture & { client: OpenAI }> {
  const fixture = await serveFixture({ chatTemplate, ...options });
  onTestFinished(() => fixture.close());
  const client = new OpenAI({ baseURL: `${fixture.url}/v1`, apiKey: 'none', maxRetries: 0 });
  return { ...fixture, client };
}

const asked = { model: 'tiny', temperature: 0, max_output_tokens: 12 } as const;

test('an answer is what the model alone gives after the template, whole or streamed', async () => {
  const { client, alone, tokenizer } = await open();
  const text = await alone('s:hi|u:abc|a:', 12);
  const request = { ...asked, instructions: 'hi', input: 'abc' };
  const whole = await client.responses.create(request);
  expect(whole.output_text).toBe(text);
  const inputs = tokenizer.encode('s:hi|u:abc|a:').ids.length;
  expect(whole).toMatchObject({
    object: 'response',
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    output: [{ type: 'message', role: 'assistant', status: 'incomplete' }],
    usage: { input_tokens: inputs, output_tokens: 12, total_tokens: inputs + 12 },
  });
  const events: ResponseStreamEvent[] = [];
  let streamed = '';
  for await (const event of await client.responses.create({ ...request, stream: true })) {
    events.push(event);
    if (event.type === 'response.output_text.delta') streamed += event.delta;
  }
  expect(streamed).toBe(text);
  expect(events.map(({ sequence_number: n }) => n)).toEqual(events.map((_, i) => i));
  const kinds = events.map(({ type }) => type.slice('response.'.length));
  expect([...new Set(kinds)]).toEqual([
    ...['created', 'in_progress', 'output_item.added', 'content_part.added', 'output_text.delta'],
    ...['output_text.done', 'content_part.done', 'output_item.done', 'incomplete'],
  ]);
  const final = await client.responses.stream(request).finalResponse();
  expect(final.output_text).toBe(text);
  expect(final.usage).toEqual(whole.usage);
});

test('a conversation of items is read as messages, and earlier output comes back as it was given', async () => {
  const { client, alone, tokenizer } = await open();
  const first = await client.responses.create({ ...asked, max_output_tokens: 4, input: 'abc' });
  const input: ResponseInput = [
    { role: 'user', content: 'abc' },
    ...(first.output as ResponseInput),
    { role: 'user', content: [{ type: 'input_text', text: 'd' }] },
  ];
  const prompt = `u:abc|a:${first.output_text}|u:d|a:`;
  const second = await client.responses.create({ ...asked, input });
  expect(second.output_text).toBe(await alone(prompt, 12));
  expect(second.usage!.input_tokens).toBe(tokenizer.encode(prompt).ids.length);
});

const tools = [
  { type: 'function' as const, name: 'sky', parameters: { type: 'object' }, strict: false },
];

test('functions go through the template; calls and their outputs come back', async () => {
  const written = 'hm <tool_call>[{"name":"sky","arguments":{"at":1}},{"name":"sky"}]</tool_call>';
  const { client, tokenizer } = await open({ writes: written });
  const request = { ...asked, max_output_tokens: 90, input: 'q', tools };
  const whole = await client.responses.create(request);
  expect(whole.status).toBe('completed');
  const call = { type: 'function_call', status: 'completed', name: 'sky', arguments: '{"at":1}' };
  expect(whole.output).toMatchObject([
    { type: 'message', content: [{ text: 'hm ' }] },
    call,
    { ...call, arguments: '{}' },
  ]);
  const one = client.responses.stream({ ...request, parallel_tool_calls: false });
  let delta = '';
  one.on('response.function_call_arguments.delta', (event) => {
    delta += event.delta;
  });
  const { output } = await one.finalResponse();
  expect(output).toMatchObject([{ type: 'message' }, call]);
  expect(delta).toBe('{"at":1}');
  const made = output[1] as { call_id: string };
  const next = await (await open()).client.responses.create({
    ...asked,
    input: [
      { role: 'user', content: 'q' },
      ...(output as ResponseInput),
      { type: 'function_call_output', call_id: made.call_id, output: 'blue' },
    ],
  });
  const prompt = 'u:q|a:hm [sky1]|t:blue|a:';
  expect(next.usage!.input_tokens).toBe(tokenizer.encode(prompt).ids.length);
  const none = await client.responses.create({ ...request, tool_choice: 'none' });
  expect(none.output_text).toBe(written);
});

test('a schema holds the text, and log-probabilities come with it where they are asked for', async () => {
  const { client } = await open();
  const schema = {
    type: 'object',
    properties: { is: { enum: ['a', 'b'] } },
    required: ['is'],
    additionalProperties: false,
  };
  const request = {
    ...asked,
    max_output_tokens: 40,
    input: 'abc',
    text: { format: { type: 'json_schema' as const, name: 'it', strict: true, schema } },
    include: ['message.output_text.logprobs' as const],
    top_logprobs: 2,
  };
  const { output_text: text, output, status } = await client.responses.create(request);
  expect(['a', 'b']).toContain(JSON.parse(text).is);
  expect(status).toBe('completed');
  const [message] = output;
  if (message?.type !== 'message' || message.content[0]?.type !== 'output_text') throw message;
  const { logprobs } = message.content[0];
  expect(logprobs!.map(({ token }) => token).join('')).toBe(text);
  for (const { top_logprobs: top } of logprobs!) expect(top).toHaveLength(2);
  const parsed = await client.responses.parse({
    ...request,
    include: null,
    top_logprobs: null,
  });
  expect(parsed.output_parsed).toEqual(JSON.parse(text));
  const streamed = await client.responses.stream(request).finalResponse();
  expect(streamed.output).toMatchObject([{ content: [{ text, logprobs }] }]);
});

test('a stream that its client aborts frees its place', async () => {
  const { client, server } = await open();
  const controller = new AbortController();
  const stream = await client.responses.create(
    { ...asked, max_output_tokens: 100, input: 'abc', stream: true },
    { signal: controller.signal },
  );
  for await (const { type } of stream) {
    if (type === 'response.output_text.delta') controller.abort();
  }
  await expect.poll(() => server.load).toEqual({ running: 0, waiting: 0 });
});

test('what is not supported is refused by name, and an error in mid-stream reaches the client', async () => {
  const { client, server } = await open();
  const refused = async (more: object, message: string, status = 400) => {
    const request = { ...asked, input: 'a', ...more };
    const error = await client.responses.create(request).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error.message).toContain(message);
    expect(error.status).toBe(status);
  };
  await refused({ model: 'none' }, "no model is named 'none'", 404);
  await refused({ store: true }, 'responses are not stored');
  await refused({ background: true }, 'a response is sent as it comes');
  await refused({ previous_response_id: 'resp_1' }, "'previous_response_id' is not supported");
  await refused({ conversation: 'c' }, "'conversation' is not supported");
  await refused({ reasoning: { effort: 'low' } }, "'reasoning' is not supported");
  await refused({ truncation: 'auto' }, "expected 'disabled'");
  await refused({ colour: 1, shape: 2 }, "unknown fields: 'colour', 'shape'");
  await refused({ input: undefined }, 'input');
  await refused({ input: [{ type: 'item_reference', id: 'x' }] }, 'expected an item of type');
  await refused({ input: [{ role: 'user', content: [{ type: 'input_image' }] }] }, 'input_text');
  const stray = { type: 'function_call_output', call_id: 'x', output: 'y' };
  await refused({ input: [stray] }, 'no function_call before has this call_id');
  await refused({ tools: [{ type: 'web_search' }] }, "expected 'function'");
  await refused({ include: ['reasoning.encrypted_content'] }, 'nothing else to include');
  await refused({ top_logprobs: 2 }, 'in include');
  await refused({ max_output_tokens: 200 }, "the model's context of 128 leaves");
  await expect(client.responses.retrieve('resp_1')).rejects.toMatchObject({ status: 404 });
  const request = { ...asked, max_output_tokens: 100, input: 'abc', stream: true } as const;
  const seen: string[] = [];
  const read = async () => {
    for await (const { type } of await client.responses.create(request)) {
      seen.push(type);
      if (type === 'response.in_progress') void server.close(0);
    }
  };
  await expect(read()).rejects.toThrow('the server is shutting down');
  expect(seen.at(-1)).toBe('response.failed');
});
