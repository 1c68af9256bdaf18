import { choices, PrefixCache } from '@headwise/generation';
import { createModel } from '@headwise/models';
import { generateText as headwiseText, type TextModel } from '@headwise/text';
import { ChatTemplate, type Tokenizer, trainCharacter } from '@headwise/tokenizers';
import {
  convertToModelMessages,
  DirectChatTransport,
  generateObject,
  generateText,
  isStepCount,
  jsonSchema,
  type ModelMessage,
  Output,
  streamObject,
  streamText,
  ToolLoopAgent,
  tool,
  type UIMessage,
} from 'ai';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type LanguageModelOptions, languageModel } from './index.js';

const body =
  '{% for m in messages %}<{{ m.role[0] }}>{{ m.content }}{% for c in m.tool_calls %}={{ c.function.name }}({{ c.function.arguments.city }}){% endfor %}{% endfor %}';
const chatTemplate = new ChatTemplate({
  chat_template: `${body}{% if add_generation_prompt %}<a>{% endif %}`,
});
const toolTemplate = new ChatTemplate({
  chat_template: `{% if tools %}{% for t in tools %}[{{ t.function.name }}]{% endfor %}{% endif %}${body}<a>`,
});
const characters = [...Array(95)].map((_, i) => String.fromCharCode(32 + i)).join('');

let tokenizer: Tokenizer;
let model: ReturnType<typeof make>;

function make() {
  const sizes = { n_positions: 256, n_embd: 16, n_layer: 1, n_head: 2, initializer_range: 0.5 };
  return createModel(
    { model_type: 'gpt2', vocab_size: tokenizer.vocabSize, ...sizes },
    { seed: 5 },
  );
}

beforeAll(async () => {
  tokenizer = await trainCharacter([`${characters}\n`]);
  model = make();
});
afterAll(() => model.params.dispose());

/** The model with other settings, as the AI SDK takes it. */
function chat(settings: Partial<TextModel> = {}, options?: LanguageModelOptions) {
  const text = { model: { network: model.network, chatTemplate, ...settings }, tokenizer };
  return languageModel(text, options);
}

/** A model that writes one of some answers. */
const writing = (template: ChatTemplate, ...answers: string[]) =>
  chat({
    chatTemplate: template,
    generation: {
      constraint: choices(answers.map((answer) => tokenizer.encode(answer).ids)),
      maxNewTokens: 100,
    },
  });

const sampling = { temperature: 0.9, seed: 3, topK: 20, topP: 0.95 };

test('text is what Headwise writes with the same settings, whole or streamed, with its usage', async () => {
  const call = {
    ...sampling,
    instructions: 'be',
    prompt: 'Call me',
    maxOutputTokens: 30,
    presencePenalty: 0.5,
    frequencyPenalty: 0.2,
    providerOptions: { headwise: { minP: 0.01, repetitionPenalty: 1.1 } },
  };
  const settings = {
    ...sampling,
    maxNewTokens: 30,
    presencePenalty: 0.5,
    frequencyPenalty: 0.2,
    minP: 0.01,
    repetitionPenalty: 1.1,
  };
  const prompt = '<s>be<u>Call me<a>';
  const expected = await headwiseText(model, tokenizer, prompt, settings);
  const whole = await generateText({ model: chat({}, { modelId: 'tiny' }), ...call });
  expect(whole.text).toBe(expected);
  expect(whole.finishReason).toBe('length');
  expect(whole.usage).toMatchObject({
    inputTokens: prompt.length,
    outputTokens: 30,
    totalTokens: prompt.length + 30,
  });
  expect(whole.response.modelId).toBe('tiny');
  expect(whole.warnings).toEqual([]);
  const streamed = streamText({ model: chat(), ...call });
  const deltas: string[] = [];
  for await (const delta of streamed.textStream) deltas.push(delta);
  expect(deltas.join('')).toBe(expected);
  expect(deltas.length).toBeGreaterThan(20);
  expect(await streamed.finishReason).toBe('length');
  // Two at once, each as alone.
  const other = { ...call, seed: 4 };
  const alone = (await generateText({ model: chat(), ...other })).text;
  const both = await Promise.all(
    [call, other].map((each) => generateText({ model: chat(), ...each })),
  );
  expect(both.map(({ text }) => text)).toEqual([expected, alone]);
});

test('a conversation reads what is new of it alone where prompts are kept', async () => {
  const prefixCache = new PrefixCache(model.network);
  const [kept, plain] = [chat({}, { prefixCache }), chat()];
  const messages: ModelMessage[] = [];
  const settings = { temperature: 0, maxOutputTokens: 5, instructions: 'be brief' };
  for (const content of ['who is there?', 'and who else?']) {
    messages.push({ role: 'user', content });
    const { text } = await generateText({ model: kept, messages, ...settings });
    expect(text).toBe((await generateText({ model: plain, messages, ...settings })).text);
    messages.push({ role: 'assistant', content: text });
  }
  // The first prompt, character by character, but for the mark of the answer.
  const length = '<s>be brief<u>who is there?'.length;
  expect(prefixCache.reusedTokens).toBeGreaterThanOrEqual(length);
  prefixCache.dispose();
});

test("stop sequences are added to the folder's, and end with the reason stop", async () => {
  const call = { prompt: 'Call me', ...sampling, maxOutputTokens: 40 };
  const { text } = await generateText({ model: chat(), ...call });
  const [early, late] = [text.slice(8, 10), text.slice(20, 23)];
  const stopped = await generateText({ model: chat(), ...call, stopSequences: [late] });
  expect(stopped.text).toBe(text.slice(0, text.indexOf(late)));
  expect(stopped.finishReason).toBe('stop');
  const folder = chat({ generation: { stop: early } });
  const both = await generateText({ model: folder, ...call, stopSequences: [late] });
  expect(both.text).toBe(text.slice(0, text.indexOf(early)));
});

test('without other limits an answer has what the context leaves', async () => {
  const { usage } = await generateText({ model: chat(), prompt: 'a'.repeat(230) });
  expect(usage).toMatchObject({ inputTokens: 236, outputTokens: 20 });
});

test('an abort ends an answer, whole or streamed, before and in it', async () => {
  const call = { model: chat(), prompt: 'Call me', maxOutputTokens: 200 };
  const aborted = AbortSignal.abort();
  await expect(generateText({ ...call, abortSignal: aborted })).rejects.toThrow('aborted');
  const controller = new AbortController();
  const onAbort = vi.fn();
  const stream = streamText({ ...call, abortSignal: controller.signal, onAbort });
  let count = 0;
  for await (const _ of stream.textStream) if (++count === 3) controller.abort();
  expect(count).toBeLessThan(20);
  expect(onAbort).toHaveBeenCalledOnce();
  const later = new AbortController();
  const promise = generateText({ ...call, abortSignal: later.signal });
  setTimeout(() => later.abort(), 20);
  await expect(promise).rejects.toThrow('aborted');
});

const call = '{"name":"weather", "arguments": {"city": "Oslo"}}';
const weather = tool({
  inputSchema: z.object({ city: z.string() }),
  execute: ({ city }) => `rain in ${city}`,
});

test('tools go through the template, and calls and results come back to it', async () => {
  const render = vi.spyOn(toolTemplate, 'applyChatTemplate');
  const text = `Let me see. <tool_call>${call}</tool_call>`;
  for (const answer of [text, call]) {
    const options = { model: writing(toolTemplate, answer), prompt: 'Oslo?', tools: { weather } };
    const result = await generateText({ ...options, stopWhen: isStepCount(2) });
    const [step] = result.steps;
    expect(step!.finishReason).toBe('tool-calls');
    expect(step!.text).toBe(answer === text ? 'Let me see. ' : '');
    expect(step!.toolCalls).toMatchObject([{ toolName: 'weather', input: { city: 'Oslo' } }]);
    expect(step!.toolCalls[0]!.toolCallId).toMatch(/^[0-9a-z]{9}$/);
    expect(step!.toolResults).toMatchObject([{ output: 'rain in Oslo' }]);
    expect(render.mock.results.at(-1)!.value).toBe(
      `[weather]<u>Oslo?<a>${step!.text}=weather(Oslo)<t>rain in Oslo<a>`,
    );
    const streamed = streamText(options);
    const types: string[] = [];
    for await (const part of streamed.fullStream) types.push(part.type);
    const written = [
      'tool-input-start',
      'tool-input-delta',
      'tool-input-end',
      'tool-call',
      'tool-result',
    ];
    expect(types.filter((type) => type.startsWith('tool'))).toEqual(written);
  }
});

test('structured output is JSON of its schema, whole and streamed', async () => {
  const schema = z.object({
    city: z.enum(['Oslo', 'Rome']),
    people: z.array(z.object({ name: z.string().max(5), age: z.int().min(0) })).max(2),
    note: z.string().max(8).optional(),
  });
  const call = { model: chat(), prompt: 'Where?', temperature: 1, seed: 2, maxOutputTokens: 150 };
  const { object } = await generateObject({ ...call, schema });
  expect(schema.parse(object)).toEqual(object);
  const { output } = await generateText({ ...call, output: Output.object({ schema }) });
  expect(output).toEqual(object);
  const streamed = streamObject({ ...call, schema });
  let parts = 0;
  for await (const _ of streamed.partialObjectStream) parts++;
  expect(parts).toBeGreaterThan(1);
  expect(await streamed.object).toEqual(object);
  const any = await generateObject({ ...call, output: 'no-schema' });
  expect(any.object).toBeDefined();
  const list = await generateObject({ ...call, output: 'enum', enum: ['yes', 'no'] });
  expect(['yes', 'no']).toContain(list.object);
});

test('a schema that cannot be met is an error before the first token', async () => {
  const call = { model: chat(), prompt: 'a' };
  const schema = jsonSchema({ type: 'object', properties: { a: { not: {} } } });
  await expect(generateObject({ ...call, schema })).rejects.toThrow('keyword "not"');
  const long = z.object({ a: z.string().min(50) });
  await expect(generateObject({ ...call, schema: long, maxOutputTokens: 20 })).rejects.toThrow(
    'its shortest output has 58 tokens',
  );
});

test('a constraint of one’s own takes the place of the grammar’s', async () => {
  const schema = z.object({ city: z.string() });
  const jsonConstraint = vi.fn(() => choices([tokenizer.encode('{"city":"Oslo"}').ids]));
  const { object } = await generateObject({
    model: chat({}, { jsonConstraint }),
    prompt: 'Where?',
    schema,
  });
  expect(object).toEqual({ city: 'Oslo' });
  expect(jsonConstraint).toHaveBeenCalledWith(
    expect.objectContaining({ type: 'object', required: ['city'] }),
  );
});

test('what has no effect is told of, and what is not known is refused by name', async () => {
  const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'a' }] }];
  const inputSchema = { type: 'object' as const };
  const { warnings } = await chat({ chatTemplate: toolTemplate }).doGenerate({
    prompt,
    maxOutputTokens: 1,
    reasoning: 'high',
    toolChoice: { type: 'required' },
    tools: [
      { type: 'function', name: 'f', inputSchema, strict: true, inputExamples: [{ input: {} }] },
      { type: 'provider', id: 'x.y', name: 'y', args: {} },
    ],
  });
  expect(warnings.map((warning) => 'feature' in warning && warning.feature)).toEqual([
    'reasoning',
    'toolChoice',
    'strict of tool f',
    'inputExamples of tool f',
    'provider tool x.y',
  ]);
  const ignored = await generateText({
    model: chat(),
    prompt: 'a',
    maxOutputTokens: 1,
    tools: { weather },
  });
  expect(ignored.warnings).toEqual([
    { type: 'unsupported', feature: 'tools', details: 'the chat template does not write them' },
  ]);
  const refused = (options: object, message: string) =>
    expect(generateText({ model: chat(), prompt: 'a', ...options })).rejects.toThrow(message);
  await refused({ topP: 2 }, 'topP is 2');
  await refused({ prompt: 'a'.repeat(300) }, 'the prompt has 306 tokens');
  await refused(
    { providerOptions: { headwise: { minp: 1 } } },
    'providerOptions.headwise.minp is 1; expected minP, typicalP',
  );
  const file = { type: 'file' as const, mediaType: 'image/png', data: new Uint8Array([1]) };
  await refused({ prompt: [{ role: 'user', content: [file] }] }, "a file of type 'image/png'");
  const onError = vi.fn();
  const stream = streamText({ model: chat(), prompt: 'a', topP: 2, onError });
  await stream.consumeStream();
  expect(onError.mock.calls[0]![0].error.message).toContain('topP is 2');
});

test('a model without a chat template continues one text, and refuses a conversation', async () => {
  const bare = chat({ chatTemplate: undefined });
  const options = { temperature: 0, maxOutputTokens: 9 };
  const expected = await headwiseText(model, tokenizer, 'Call me', {
    temperature: 0,
    maxNewTokens: 9,
  });
  expect((await generateText({ model: bare, prompt: 'Call me', ...options })).text).toBe(expected);
  await expect(generateText({ model: bare, instructions: 'be', prompt: 'a' })).rejects.toThrow(
    'the model has no chat template and continues one text of a user; given: system, user',
  );
});

test('useChat reaches a model in the same page through a direct transport', async () => {
  const agent = new ToolLoopAgent({ model: writing(toolTemplate, 'Hello!'), instructions: 'be' });
  const transport = new DirectChatTransport({ agent });
  const messages: UIMessage<unknown, never, Record<never, never>>[] = [
    { id: '1', role: 'user', parts: [{ type: 'text', text: 'Hi' }] },
  ];
  expect(await convertToModelMessages(messages)).toHaveLength(1);
  const stream = await transport.sendMessages({
    chatId: 'c',
    messageId: undefined,
    trigger: 'submit-message',
    messages,
    abortSignal: undefined,
  });
  let text = '';
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (next.value.type === 'text-delta') text += next.value.delta;
  }
  expect(text).toBe('Hello!');
});
