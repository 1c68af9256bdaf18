import { expect, test } from 'vitest';
import { type ChatMessage, ChatTemplate } from './chat-template.js';
import { TokenizerError } from './errors.js';
import { published, readGolden } from './goldens/read.node.js';

interface Goldens {
  configs: Record<string, unknown>;
  chats: Record<string, ChatMessage[]>;
  tools: unknown[];
  cases: { config: string; chat: string; prompt: boolean; tools: boolean; text: string | null }[];
}

const goldens = readGolden<Goldens>('chats');

test.each(goldens.cases)('$config, $chat, prompt $prompt, tools $tools: as Jinja', (golden) => {
  const template = new ChatTemplate(goldens.configs[golden.config]);
  const apply = () =>
    template.applyChatTemplate(goldens.chats[golden.chat]!, {
      addGenerationPrompt: golden.prompt,
      ...(golden.tools && { tools: goldens.tools }),
    });
  if (golden.text === null) expect(apply).toThrow('tokenizer_config.json.chat_template: ');
  else expect(apply()).toBe(golden.text);
});

test('the text of a chat becomes special tokens', () => {
  const template = new ChatTemplate(goldens.configs.llama3);
  const tokenizer = published('llama3');
  const text = template.applyChatTemplate([{ role: 'user', content: 'Hi' }]);
  const { tokens } = tokenizer.encode(text, { addSpecialTokens: false });
  expect(tokens.slice(0, 4)).toEqual([
    '<|begin_of_text|>',
    '<|start_header_id|>',
    'user',
    '<|end_header_id|>',
  ]);
});

test('absent options are none, and values print as in Python', () => {
  const template = new ChatTemplate({
    chat_template:
      "{% if tools is not none %}TOOLS{% endif %}{% if documents is not none %}DOCS{% endif %}{{ true }} {{ none }} {{ [1, 'a'] }} {{ messages[0] }} {{ extra }}",
  });
  const call = { function: { name: 'f', arguments: { ok: true, none: null, list: [1.5, 'é'] } } };
  const messages = [{ role: 'user', content: null, tool_calls: [call] }];
  expect(template.applyChatTemplate(messages, { variables: { extra: [false] } })).toBe(
    "True None [1, 'a'] {'role': 'user', 'tool_calls': [{'function': {'name': 'f', 'arguments': {'ok': True, 'none': None, 'list': [1.5, 'é']}}}]} [False]",
  );
  expect(template.applyChatTemplate(messages, { tools: [], documents: [{ text: 'x' }] })).toMatch(
    /^TOOLSDOCSTrue/,
  );
});

test('reasoning is found under each of its names', () => {
  const template = new ChatTemplate({
    chat_template: '{{ messages[0].reasoning_content }}|{{ messages[0].thinking }}',
  });
  for (const name of ['reasoning_content', 'thinking', 'reasoning']) {
    const message = { role: 'assistant', content: '', [name]: 'hm' };
    expect(template.applyChatTemplate([message])).toBe('hm|hm');
  }
});

test('the time is that of the caller', () => {
  const template = new ChatTemplate({ chat_template: "{{ strftime_now('%d %b %Y, %H:%M') }}" });
  const now = new Date(2026, 2, 5, 14, 7);
  expect(template.applyChatTemplate([{ role: 'user' }], { now })).toBe('05 Mar 2026, 14:07');
});

test.each<[string, string]>([
  ["{{ 'x' | urlize }}", "chat_template: the filter 'urlize' cannot be used here"],
  ['{{ namespace }}', 'chat_template: a function cannot be printed: Python prints its address'],
  ["{% include 'x' %}", "chat_template: line 1: the tag 'include' cannot be used"],
  ['{{ messages[0].content.encode() }}', 'str.encode cannot be used in templates here'],
  [
    '{% for a in range(100000) %}{% for b in range(100000) %}{{ b }}{% endfor %}{% endfor %}',
    'takes more than 5000000 steps',
  ],
  ['{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}', 'RecursionError'],
  ["{{ 'a' * 100000000 }}", 'is longer than'],
  ['{{ 3 ** (10 ** 9) }}', 'a power of more than 524288 bits'],
  ['{{ 10 ** 5000 }}', 'Exceeds the limit (4300 digits)'],
  [
    '{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}',
    'a list of 33554432 items; expected at most 16777216',
  ],
  [
    '{% set ns = namespace(x=3) %}{% for i in range(60) %}{% set ns.x = ns.x * ns.x %}{% endfor %}',
    'a whole number of more than 524288 bits',
  ],
  ["{{ '('.join(['<']) | foo }}", "No filter named 'foo'"],
])('%s is an error that names it', (source, message) => {
  const apply = () =>
    new ChatTemplate({ chat_template: source }).applyChatTemplate([{ role: 'user', content: 'x' }]);
  expect(apply).toThrow(message);
  expect(apply).toThrow(TokenizerError);
});

test('long templates are read in time linear in their length', () => {
  const blanks = ' '.repeat(100_000);
  const nested = '('.repeat(100_000);
  const text = `${blanks}x${blanks}{{ '${blanks}y' | striptags }}${blanks}z`;
  const template = new ChatTemplate({ chat_template: text });
  expect(template.applyChatTemplate([{ role: 'user' }])).toBe(`${blanks}x${blanks}y${blanks}z`);
  expect(() => new ChatTemplate({ chat_template: `{{ ${nested} }}` })).toThrow(TokenizerError);
});

test('one of several templates is used, tool_use where there are tools', () => {
  const template = new ChatTemplate({
    chat_template: [
      { name: 'default', template: 'plain {{ messages[0].content }}{{ extra }}' },
      { name: 'tool_use', template: 'with {{ tools | length }} tools' },
    ],
  });
  const messages = [{ role: 'user', content: 'Hi' }];
  expect(template.applyChatTemplate(messages, { variables: { extra: '!' } })).toBe('plain Hi!');
  expect(template.applyChatTemplate(messages, { tools: [1, 2] })).toBe('with 2 tools');
  expect(() => template.applyChatTemplate(messages, { name: 'rag' })).toThrow(
    'name is "rag"; expected default or tool_use',
  );
});

test.each<[string, () => unknown, string]>([
  ['no template', () => new ChatTemplate({}), 'tokenizer_config.json.chat_template is missing'],
  [
    'a broken template',
    () => new ChatTemplate({ chat_template: '{% if %' }),
    'chat_template: cannot be read',
  ],
  [
    'a number',
    () => new ChatTemplate({ chat_template: 7 }),
    'chat_template is 7; expected a string',
  ],
  [
    'messages that are none',
    () => new ChatTemplate({ chat_template: '' }).applyChatTemplate('Hi' as never),
    'messages is "Hi"; expected an array',
  ],
  [
    'no message',
    () => new ChatTemplate({ chat_template: '' }).applyChatTemplate([]),
    'messages is []; expected at least one message',
  ],
  [
    'a message that is a text',
    () => new ChatTemplate({ chat_template: '' }).applyChatTemplate(['Hi'] as never),
    'messages[0] is "Hi"; expected an object',
  ],
  [
    'tools that are a text',
    () =>
      new ChatTemplate({ chat_template: '' }).applyChatTemplate([{ role: 'user' }], {
        tools: 'f' as never,
      }),
    'tools is "f"; expected an array',
  ],
])('%s is refused', (_, act, message) => {
  expect(act).toThrow(message);
});
