import Anthropic from '@anthropic-ai/sdk';
import type { Constraint } from '@headwise/generation';
import { createGrammar, type Grammar } from '@headwise/grammar';
import type { ToolCallForm } from '@headwise/text';
import { ChatTemplate, type Tokenizer, trainCharacter } from '@headwise/tokenizers';
import OpenAI from 'openai';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type FixtureOptions, serveFixture } from '../../fixture/serve-fixture.js';
import { callConstraint } from './answer-form.js';
import { callingOf, type ToolChoice } from './tools.js';

const turns = (call: string) =>
  new ChatTemplate({
    chat_template: `{% if tools %}{{ tools[0].function.name }}{% endif %}{% for m in messages %}{{ m.role[0] }}:{{ m.content }}{% for c in m.tool_calls %}${call}{% endfor %}|{% endfor %}{% if add_generation_prompt %}a:{% endif %}`,
  });
const chatTemplate = turns(
  '<tool_call>{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}</tool_call>',
);

async function open(options: FixtureOptions = {}) {
  const fixture = await serveFixture({ chatTemplate, ...options });
  onTestFinished(() => fixture.close());
  const shared = { apiKey: 'none', maxRetries: 0 };
  return {
    ...fixture,
    openai: new OpenAI({ baseURL: `${fixture.url}/v1`, ...shared }),
    anthropic: new Anthropic({ baseURL: fixture.url, ...shared }),
  };
}

const sky = {
  type: 'object' as const,
  properties: { at: { type: 'integer', minimum: 1, maximum: 24 } },
  required: ['at'],
  additionalProperties: false,
};
const sea = {
  type: 'object' as const,
  properties: { is: { enum: ['calm', 'rough'] } },
  required: ['is'],
  additionalProperties: false,
};
const asked = { model: 'tiny', temperature: 0 } as const;
const messages = [{ role: 'user' as const, content: 'q' }];

test('chats, messages and responses call the function that is named, or any where one is required', async () => {
  const { openai, anthropic } = await open();
  const functions = Object.entries({ sky, sea }).map(([name, parameters]) => ({
    name,
    parameters,
  }));
  const chat = {
    ...asked,
    messages,
    max_tokens: 100,
    tools: functions.map((one) => ({ type: 'function' as const, function: one })),
  };
  const named = await openai.chat.completions.create({
    ...chat,
    tool_choice: { type: 'function', function: { name: 'sea' } },
  });
  expect(named.choices[0]!.finish_reason).toBe('tool_calls');
  const [call, ...others] = named.choices[0]!.message.tool_calls!;
  expect(others).toEqual([]);
  if (call?.type !== 'function') throw call;
  expect(call.function.name).toBe('sea');
  expect(['calm', 'rough']).toContain(JSON.parse(call.function.arguments).is);
  const any = await openai.chat.completions
    .stream({ ...chat, tool_choice: 'required', parallel_tool_calls: false })
    .finalChatCompletion();
  expect(any.choices[0]!.message).toMatchObject({ content: null, tool_calls: [{}] });

  const greedy = { top_k: 1 };
  const message = await anthropic.messages.create({
    ...greedy,
    model: 'tiny',
    messages,
    max_tokens: 100,
    tools: functions.map(({ name, parameters }) => ({ name, input_schema: parameters })),
    tool_choice: { type: 'tool', name: 'sky' },
  });
  expect(message).toMatchObject({ stop_reason: 'tool_use', content: [{ name: 'sky' }] });
  const [block] = message.content;
  if (block?.type !== 'tool_use') throw block;
  expect((block.input as { at: number }).at).toBeLessThan(25);

  const response = await openai.responses.create({
    ...asked,
    input: 'q',
    max_output_tokens: 100,
    tools: functions.map((one) => ({ type: 'function', strict: true, ...one })),
    tool_choice: { type: 'function', name: 'sky' },
  });
  expect(response.status).toBe('completed');
  const [item] = response.output;
  if (item?.type !== 'function_call') throw item;
  expect(JSON.parse(item.arguments).at).toBeLessThan(25);
});

test('what a template writes before calls is part of the prompt where a call is required', async () => {
  const call =
    '{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}';
  const before = "{% if m.role == 'assistant' %}hm: {% endif %}{{ m.content }}";
  const source = `{{ tools[0].function.name }}{% for m in messages %}{{ m.role[0] }}:${before}{% for c in m.tool_calls %}${call}{% endfor %}|{% endfor %}{% if add_generation_prompt %}a:{% endif %}`;
  const { openai, tokenizer } = await open({
    chatTemplate: new ChatTemplate({ chat_template: source }),
  });
  const { usage, choices } = await openai.chat.completions.create({
    ...{ ...asked, messages, max_tokens: 60 },
    tools: [{ type: 'function', function: { name: 'sky', parameters: sky } }],
    tool_choice: 'required',
  });
  expect(usage!.prompt_tokens).toBe(tokenizer.encode('skyu:q|a:hm:').ids.length);
  expect(choices[0]!.message).toMatchObject({ content: null, tool_calls: [{}] });
});

test('a choice that cannot be met is refused by name', async () => {
  const { openai, anthropic } = await open();
  const xml = await open({ chatTemplate: turns('<call><{{ c.function.name }}></call>') });
  const refused = async (client: OpenAI, more: object, message: string) => {
    const request = { ...asked, messages, max_tokens: 60, ...more };
    const error = await client.chat.completions.create(request).catch((thrown) => thrown);
    expect(error.status).toBe(400);
    expect(error.message).toContain(message);
  };
  const tool = (strict: boolean, parameters: object = sky) => ({
    type: 'function',
    function: { name: 'sky', parameters, strict },
  });
  const other = { type: 'function', function: { name: 'sea' } };
  await refused(openai, { tool_choice: 'required' }, 'there are no tools');
  await refused(
    openai,
    { tool_choice: other, tools: [tool(false)] },
    "tool_choice names 'sea', which is not in tools; there are sky",
  );
  await refused(openai, { tool_choice: 'any', tools: [tool(false)] }, "expected 'none', 'auto'");
  const odd = { type: 'object', patternProperties: {} };
  await refused(openai, { tools: [tool(true, odd)] }, "the parameters of the function 'sky': #: ");
  await refused(
    openai,
    { tools: [tool(false)], tool_choice: 'required', max_tokens: 5 },
    'max_tokens is 5',
  );
  const held = "calls cannot be held to the form in which 'tiny' writes them";
  await refused(xml.openai, { tools: [tool(true)] }, held);
  await refused(xml.openai, { tools: [tool(false)], tool_choice: 'required' }, held);
  const json = { type: 'json_object' };
  await refused(xml.openai, { tools: [tool(false)], response_format: json }, held);
  await expect(
    anthropic.messages.create({
      ...{ model: 'tiny', messages, max_tokens: 9 },
      tool_choice: { type: 'tool', name: 'sea' },
    }),
  ).rejects.toThrow('there are none');
});

const marked: ToolCallForm = {
  ...{ lead: '', begin: '<tool_call>{"name": "', middle: '", "arguments": ', id: undefined },
  ...{ between: '}</tool_call> <tool_call>{"name": "', end: '}</tool_call>' },
};
const listed: ToolCallForm = {
  ...{ lead: '', begin: ' [{"name": "', middle: '", "arguments": ', id: 'headwise0' },
  ...{ between: ', "id": "headwise0"}, {"name": "', end: ', "id": "headwise0"}]' },
};
const single: ToolCallForm = {
  ...{ lead: '', begin: '{"name": "', middle: '", "parameters": ', id: undefined },
  ...{ between: undefined, end: '}' },
};
const one = '<tool_call>{"name": "sky", "arguments": {"at": 7}}</tool_call>';
const off = '<tool_call>{"name": "sky", "arguments": {"at": 70}}</tool_call>';
const listOf = (...ids: string[]) =>
  ` [${ids.map((id) => `{"name": "sky", "arguments": {"at": 7}, "id": "${id}"}`).join(', ')}]`;

interface Case {
  form: ToolCallForm;
  choice: ToolChoice;
  textSchema?: unknown;
  accepted: string[];
  refused: string[];
}

describe('answers are held to', () => {
  test.each<[string, Case]>([
    [
      'marked calls',
      {
        ...{ form: marked, choice: 'required' },
        accepted: [one, `${one} ${one}`],
        refused: ['', 'see', `see ${one}`, off, `${one} see`, `${one}${one}`],
      },
    ],
    [
      'texts and marked calls',
      {
        ...{ form: marked, choice: 'auto' },
        accepted: ['', 'see', 'a < b <t <tool_c', '<<tool_call', one, `a <tool ${one} ${one}`],
        refused: [off, `see ${off}`, '<tool_call>', `see <<tool_call> x`, `${one} see`],
      },
    ],
    [
      'a list of calls with ids',
      {
        ...{ form: listed, choice: 'required' },
        accepted: [listOf('abc012XYZ'), listOf('abc012XYZ', '123456789')],
        refused: ['[]', listOf('abc'), listOf('abc012XY_')],
      },
    ],
    [
      'a single call without marks, or a text that is not taken for it',
      {
        ...{ form: single, choice: { name: 'sky' } },
        accepted: ['{"name": "sky", "parameters": {"at": 7}}'],
        refused: ['{"name": "sea", "parameters": {"is": "calm"}}', 'see'],
      },
    ],
    [
      'texts and calls without marks',
      {
        ...{ form: single, choice: 'auto' },
        accepted: ['', ' \n', 'see {"a": 1}', '{"name": "sea", "parameters": {"is": "calm"}}'],
        refused: ['{"a": 1}', ' [1]', '{"name": "sky", "parameters": {"at": 70}}'],
      },
    ],
    [
      'a schema or calls',
      {
        ...{ form: marked, choice: 'auto', textSchema: { enum: [1, 2] } },
        accepted: ['1', one],
        refused: ['3', 'see', off],
      },
    ],
  ])('%s', (_, { form, choice, textSchema, accepted, refused }) => {
    const tools = Object.entries({ sky, sea }).map(([name, parameters]) => ({
      type: 'function' as const,
      function: { name, parameters },
    }));
    const calling = callingOf(tools, { strict: ['sky'], choice, parallel: true })!;
    const constraint = callConstraint(grammar, form, calling, textSchema);
    for (const text of accepted) expect(accepts(constraint, text), text).toBe(true);
    for (const text of refused) expect(accepts(constraint, text), text).toBe(false);
  });
});

const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
let tokenizer: Tokenizer;
let grammar: Grammar;
beforeAll(async () => {
  tokenizer = await trainCharacter([`${ascii}\n`]);
  grammar = createGrammar(tokenizer);
});

/** Whether the constraint lets a text through, token by token, to its end. */
function accepts(constraint: Constraint, text: string): boolean {
  const state = constraint.start();
  for (const id of tokenizer.encode(text).ids) {
    const mask = state.mask(1000)!;
    if (((mask[id >> 5]! >>> (id & 31)) & 1) === 0) return false;
    state.accept(id);
  }
  return state.rest === 0;
}
