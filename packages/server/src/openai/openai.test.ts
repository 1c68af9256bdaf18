import { ChatTemplate } from '@headwise/tokenizers';
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

const template = new ChatTemplate({
  chat_template:
    '{% if tools %}{% for t in tools %}[{{ t.function.name }}]{% endfor %}{% endif %}{% for m in messages %}<{{ m.content }}>{% endfor %}|',
});

const messages = [{ role: 'user', content: 'abc' }] as const;

test('messages are answered as the template writes them, whole and streamed, with log-probabilities', async () => {
  const { client, alone } = await open({ chatTemplate: template });
  const expected = await alone('<abc>|', 10);
  const asked = {
    ...greedy,
    messages: [...messages],
    max_tokens: 10,
    logprobs: true,
    top_logprobs: 2,
  };
  const { choices, usage } = await client.chat.completions.create(asked);
  const { message, logprobs, finish_reason: reason } = choices[0]!;
  expect([message.content, reason, usage?.completion_tokens]).toEqual([expected, 'length', 10]);
  const tokens = logprobs!.content!;
  expect(tokens.map(({ token }) => token).join('')).toBe(expected);
  // Greedy: the best alternative is the token.
  for (const { token, logprob, top_logprobs: top } of tokens) {
    expect(top[0]).toMatchObject({ token, logprob });
    expect(top).toHaveLength(2);
  }
  const stream = client.chat.completions.stream({ ...asked, n: 2 });
  const whole = await stream.finalChatCompletion();
  for (const choice of whole.choices) {
    expect(choice.message.content).toBe(expected);
    expect(choice.logprobs!.content).toEqual(tokens);
  }
});

test('a call of a function that a model writes is told from text', async () => {
  const written = '<tool_call>{"name": "weather", "arguments": {"city": "x"}}</tool_call>';
  const { client, tokenizer } = await open({ chatTemplate: template, writes: written });
  const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: {} } }];
  const asked = {
    ...greedy,
    messages: [...messages],
    max_tokens: tokenizer.encode(written).length,
  };
  const { choices } = await client.chat.completions.create({ ...asked, tools });
  const [call] = choices[0]!.message.tool_calls!;
  expect(choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } });
  expect(call).toMatchObject({
    type: 'function',
    function: { name: 'weather', arguments: '{"city":"x"}' },
  });
  const streamed = client.chat.completions.stream({ ...asked, tools });
  const { message } = (await streamed.finalChatCompletion()).choices[0]!;
  expect(message.tool_calls![0]!.function).toMatchObject({ name: 'weather' });
  const none = { ...asked, tools, tool_choice: 'none' } as const;
  expect((await client.chat.completions.create(none)).choices[0]!.message.content).toBe(written);
});

test('completions take texts and ids, several at once, and give as many answers as asked for', async () => {
  const { client, alone, tokenizer } = await open();
  const prompts = ['abc', 'call me'];
  const expected = await Promise.all(prompts.map((prompt) => alone(prompt, 5)));
  const texts = async (prompt: string | string[] | number[] | number[][], more = {}) => {
    const asked = { ...greedy, max_tokens: 5, prompt, ...more };
    const { choices } = await client.completions.create(asked);
    expect(choices.map(({ index }) => index)).toEqual(choices.map((_, i) => i));
    return choices.map(({ text }) => text);
  };
  const ids = prompts.map((prompt) => tokenizer.encode(prompt).ids);
  expect(await texts(prompts)).toEqual(expected);
  expect(await texts(ids)).toEqual(expected);
  expect(await texts(ids[1]!, { echo: true })).toEqual([`call me${expected[1]}`]);
  expect(await texts(prompts, { n: 2 })).toEqual(expected.flatMap((text) => [text, text]));
  // Drawn answers differ from each other, and a seed gives them again.
  const drawn = { temperature: 1, seed: 7, n: 3 };
  const three = await texts('abc', drawn);
  expect(new Set(three).size).toBe(3);
  expect(await texts('abc', drawn)).toEqual(three);
  expect(three).toContain((await texts('abc', { ...drawn, n: 1, best_of: 3 }))[0]);
  expect(await texts('abc', { temperature: 1 })).not.toEqual(
    await texts('abc', { temperature: 1 }),
  );
});

test('log-probabilities of a completion name the tokens and where each begins, those of a stop text included', async () => {
  const { client, alone } = await open();
  const asked = { ...greedy, prompt: 'abc', logprobs: 2 };
  const [choice] = (await client.completions.create(asked)).choices;
  const {
    tokens,
    token_logprobs: logs,
    top_logprobs: top,
    text_offset: offsets,
  } = choice!.logprobs!;
  expect(tokens!.join('')).toBe(choice!.text);
  expect(offsets).toEqual(tokens!.map((_, i) => i));
  for (const [i, token] of tokens!.entries()) {
    expect(top![i]![token]).toBe(logs![i]);
    expect(Math.max(...Object.values(top![i]!))).toBe(logs![i]);
  }
  const text = await alone('abc', 12);
  const stop = text.slice(5, 7);
  const stopped = (await client.completions.create({ ...asked, stop: [stop, '@@'] })).choices[0]!;
  expect(stopped).toMatchObject({ text: text.slice(0, text.indexOf(stop)), finish_reason: 'stop' });
  expect(stopped.logprobs!.tokens!.join('')).toBe(stopped.text + stop);
});

test('a stream that its client aborts frees its place', async () => {
  const { client, server } = await open();
  const controller = new AbortController();
  const stream = await client.completions.create(
    { ...greedy, prompt: 'abc', max_tokens: 120, stream: true },
    { signal: controller.signal },
  );
  for await (const _ of stream) {
    expect(server.load.running).toBe(1);
    controller.abort();
  }
  while (server.load.running > 0) await new Promise((done) => setTimeout(done, 1));
});

test('echo with log-probabilities scores the prompt, as evaluations ask for it', async () => {
  const { client, tokenizer } = await open();
  const ids = tokenizer.encode('abcde').ids;
  const asked = { ...greedy, logprobs: 1, echo: true };
  const texts = { ...asked, prompt: [ids, ids.slice(0, 3)], max_tokens: 0 };
  const { choices } = await client.completions.create(texts);
  const [whole, short] = choices.map(({ logprobs }) => logprobs!);
  expect(choices.map(({ text }) => text)).toEqual(['abcde', 'abc']);
  expect([whole!.tokens, whole!.text_offset]).toEqual([[...'abcde'], [0, 1, 2, 3, 4]]);
  expect([whole!.token_logprobs![0], whole!.top_logprobs![0]]).toEqual([null, null]);
  // Later tokens change nothing of earlier ones.
  for (const [i, log] of short!.token_logprobs!.entries()) {
    if (i > 0) expect(log).toBeCloseTo(whole!.token_logprobs![i]!, 5);
  }
  // A generated token has the log-probability that it gets as part of the next prompt.
  const made = (await client.completions.create({ ...asked, prompt: ids, max_tokens: 2 }))
    .choices[0]!;
  const again = (await client.completions.create({ ...asked, prompt: made.text, max_tokens: 0 }))
    .choices[0]!;
  expect(again.logprobs!.tokens).toEqual(made.logprobs!.tokens);
  for (const [i, log] of again.logprobs!.token_logprobs!.entries()) {
    if (i > 0) expect(log).toBeCloseTo(made.logprobs!.token_logprobs![i]!, 4);
  }
});

test('an answer is held to a JSON schema, and one that nothing meets is refused', async () => {
  const { client } = await open({ chatTemplate: template });
  const schema = {
    type: 'object',
    properties: { age: { type: 'integer', minimum: 0, maximum: 99 }, is: { enum: ['a', 'b'] } },
    required: ['age', 'is'],
    additionalProperties: false,
  };
  const asked = { ...greedy, max_tokens: 60, messages: [...messages] };
  const { choices } = await client.chat.completions.create({
    ...asked,
    response_format: { type: 'json_schema', json_schema: { name: 'it', strict: true, schema } },
  });
  const { age, is } = JSON.parse(choices[0]!.message.content!);
  expect(age).toBeLessThan(100);
  expect(['a', 'b']).toContain(is);
  const never = { type: 'json_schema', json_schema: { name: 'it', schema: { enum: [] } } } as const;
  await expect(
    client.chat.completions.create({ ...asked, response_format: never }),
  ).rejects.toMatchObject({ status: 400 });
});

test('JSON mode gives an object, in chats and in responses', async () => {
  const { client } = await open({ chatTemplate: template });
  const asked = { ...greedy, max_tokens: 40, messages: [...messages] };
  const { choices } = await client.chat.completions.create({
    ...asked,
    response_format: { type: 'json_object' },
  });
  expect(choices[0]!.finish_reason).toBe('stop');
  expect(JSON.parse(choices[0]!.message.content!)).toBeTypeOf('object');
  const { output_text: text, status } = await client.responses.create({
    ...{ model: 'tiny', temperature: 0, max_output_tokens: 40, input: 'abc' },
    text: { format: { type: 'json_object' } },
  });
  expect(status).toBe('completed');
  expect(text).toBe(choices[0]!.message.content);
});
