import { expect, test } from 'vitest';
import { type ChatMessage, ChatTemplate } from './chat-template.js';
import golden from './goldens/chat-turns.json' with { type: 'json' };

const templateOf = (source: string) => new ChatTemplate({ chat_template: source });
const cut = (text: string, turns: readonly (readonly [number, number])[]) =>
  turns.map(([start, end]) => text.slice(start, end));

test.each(golden.cases)('$template: marked turns are those of transformers', (expected) => {
  const template = templateOf(golden.templates[expected.template as 'chatml']);
  const { text, turns } = template.assistantTurns(expected.messages);
  expect(text).toBe(expected.text);
  expect(cut(text, turns)).toEqual(expected.turns);
  expect(template.applyChatTemplate(expected.messages)).toBe(expected.text);
});

const chat: ChatMessage[] = [
  { role: 'user', content: 'One?' },
  { role: 'assistant', content: '1' },
  { role: 'user', content: 'Two?' },
  { role: 'assistant', content: '2' },
];
const plain =
  '{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}';

test('without marks a turn is what the text grows by after the generation prompt', () => {
  const { text, turns } = templateOf(plain).assistantTurns(chat);
  expect(cut(text, turns)).toEqual(['1</s>', '2</s>']);
});

test('chats without a turn, and templates that rewrite what was before, are refused', () => {
  expect(() => templateOf(plain).assistantTurns(chat.slice(0, 1))).toThrow(
    'a chat of 1 messages has no turn of the assistant; expected at least one',
  );
  const forgetful =
    "{% for m in messages %}{% if loop.last or m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}";
  expect(() => templateOf(forgetful).assistantTurns(chat)).toThrow(
    'has no {% generation %} marks, and writes the chat up to message 1 differently when more follows',
  );
});
