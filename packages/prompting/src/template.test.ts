import { ChatTemplate } from '@headwise/tokenizers';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { definePrompt, type PromptTemplate } from './index.js';

const review = definePrompt({ name: 'review', text: 'Classify: {{review}}\nSentiment:' });

test('a text with slots becomes the text that their values make', () => {
  expect(review.write({ review: 'I loved {{this}} movie!' })).toBe(
    'Classify: I loved {{this}} movie!\nSentiment:',
  );
  const twice = definePrompt({ name: 'twice', text: '{{ a }}-{{b}}-{{a}}' });
  expect(twice.write({ a: '$&', b: '' })).toBe('$&--$&');
  expect(Object.keys(twice.slots)).toEqual(['a', 'b']);
});

test('slots have types: texts, numbers, choices, lists, messages', () => {
  const prompt = definePrompt({
    name: 'kinds',
    messages: [
      { role: 'system', content: 'Answer in {{count}} words, {{tone}}.' },
      { slot: 'history' },
      { role: 'user', content: '{{passages}}Question: {{question}}' },
    ],
    slots: {
      count: { kind: 'number' },
      tone: { oneOf: ['dry', 'warm'] },
      passages: { kind: 'list', separator: ' | ', end: '\n' },
    },
  });
  type Values = typeof prompt extends PromptTemplate<infer V> ? V : never;
  expectTypeOf<Values['count']>().toEqualTypeOf<number>();
  expectTypeOf<Values['tone']>().toEqualTypeOf<'dry' | 'warm'>();
  expectTypeOf<Values['passages']>().toEqualTypeOf<readonly string[]>();
  expectTypeOf<Values['question']>().toEqualTypeOf<string>();
  const turn = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello' },
  ];
  const values = { count: 3, tone: 'dry', question: 'Who?' } as const;
  const messages = prompt.write({ ...values, passages: ['A', 'B'], history: [turn] });
  expect(messages).toEqual([
    { role: 'system', content: 'Answer in 3 words, dry.' },
    ...turn,
    { role: 'user', content: 'A | B\nQuestion: Who?' },
  ]);
  const bare = prompt.write({ ...values, passages: [], history: [] });
  expect(bare.at(-1)).toEqual({ role: 'user', content: 'Question: Who?' });
  // The messages go through the chat template of any tokenizer.
  const chat = new ChatTemplate({
    chat_template: '{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}',
  });
  expect(chat.applyChatTemplate(bare as Exclude<typeof bare, string>)).toBe(
    '<system>Answer in 3 words, dry.<user>Question: Who?',
  );
});

test('some values now, the others later', () => {
  const both = definePrompt({ name: 'both', text: '{{a}}{{b}}' });
  const half = both.with({ a: 'x' });
  expect(half.write({ b: 'y' })).toBe('xy');
  expect(both.write({ a: '1', b: '2' })).toBe('12');
  expect(() => half.write({ a: 'z', b: 'y' } as never)).toThrow(
    "prompt 'both': slot 'a' has a value already; expected none",
  );
});

describe('an error names the prompt, the slot and the example', () => {
  const prompt = definePrompt({
    name: 'kinds',
    text: '{{text}}{{count}}{{tone}}{{list}}',
    slots: { count: { kind: 'number' }, tone: { oneOf: ['dry', 'warm'] }, list: { kind: 'list' } },
  });
  const good = { text: 'a', count: 1, tone: 'dry', list: ['b'] } as const;

  test.each([
    [{ text: undefined }, "slot 'text' has no value; expected a text"],
    [{ count: undefined }, "slot 'count' has no value; expected a number"],
    [{ list: undefined }, "slot 'list' has no value; expected an array of texts"],
    [{ film: 'x' }, "there is no slot 'film'; its slots are 'text', 'count', 'tone', 'list'"],
    [{ text: 3 }, "slot 'text' is 3; expected a text"],
    [{ count: Number.NaN }, "slot 'count' is NaN; expected a finite number"],
    [{ tone: 'wet' }, `slot 'tone' is "wet"; expected one of 'dry', 'warm'`],
    [{ list: ['a', 3] }, `slot 'list' is ["a",3]; expected an array of texts`],
  ])('%j', (wrong, message) => {
    const values = { ...good, ...wrong } as never;
    expect(() => prompt.write(values, { example: 3 })).toThrow(
      `prompt 'kinds', example 3: ${message}`,
    );
    expect(() => prompt.write(values)).toThrow(`prompt 'kinds': ${message}`);
  });

  test('messages', () => {
    const chat = definePrompt({ name: 'chat', messages: [{ slot: 'turns' }] });
    expect(() => chat.write({ turns: [{ content: 'no role' }] } as never)).toThrow(
      `prompt 'chat': slot 'turns' is [{"content":"no role"}]; expected an array of messages with 'role'`,
    );
  });
});

test('what cannot be a prompt is refused where it is defined', () => {
  const of =
    (text: string, slots = {}) =>
    () =>
      definePrompt({ name: 'p', text, slots });
  expect(of('a {{b')).toThrow("prompt 'p': '{{b' begins no slot; expected '{{name}}'");
  expect(of('{{a-b}}')).toThrow("'{{a-b}}' begins no slot");
  expect(of('{{a}}', { b: {} })).toThrow(
    "prompt 'p': slot 'b' is described and not in the prompt; its slots are 'a'",
  );
  expect(of('{{a}}', { a: { kind: 'messages' } })).toThrow("slot 'a' takes messages and stands");
  expect(of('{{a}}', { a: { priority: Number.NaN } })).toThrow("the priority of slot 'a' is NaN");
  expect(of('{{a}}', { a: { kind: 'list', least: -1 } })).toThrow('keeps at least -1 items');
  expect(() => definePrompt({ name: 'p', messages: [] })).toThrow('there are no messages');
  expect(() =>
    definePrompt({ name: 'p', messages: [{ slot: 'a' }, { role: 'user', content: '{{a}}' }] }),
  ).toThrow("slot 'a' takes messages and stands within a text");
});

// The compiler refuses what an error would name. Never run.
export function refusedByTheCompiler(): void {
  // @ts-expect-error: no value
  review.write({});
  // @ts-expect-error: no such slot
  review.write({ review: 'a', film: 'b' });
  // @ts-expect-error: of another kind
  review.write({ review: 3 });
}

test('more behind a prompt: a text goes on, a chat takes messages or goes on with its last one', () => {
  const longer = review.followedBy(' {{label}}.', { label: { oneOf: ['Good', 'Bad'] } });
  expect(longer.write({ review: 'x', label: 'Good' })).toBe('Classify: x\nSentiment: Good.');
  expect(review.with({ review: 'y' }).followedBy('!').write({})).toBe('Classify: y\nSentiment:!');
  const chat = definePrompt({ name: 'chat', messages: [{ role: 'user', content: '{{q}}' }] });
  const answered = chat.followedBy(' Why?').followedBy([{ role: 'assistant', content: '{{a}}' }]);
  expect(answered.write({ q: 'Who?', a: 'He.' })).toEqual([
    { role: 'user', content: 'Who? Why?' },
    { role: 'assistant', content: 'He.' },
  ]);
  expect(() => review.followedBy([{ role: 'user', content: 'x' }])).toThrow(
    "prompt 'review': is a text and messages follow; expected a text",
  );
  expect(() => chat.followedBy([{ slot: 'turns' }]).followedBy('x')).toThrow(
    "prompt 'chat': ends in messages of the slot 'turns' and a text follows; expected messages",
  );
});
