import { expect, test } from 'vitest';
import { defineTask } from './index.js';

const task = defineTask({
  name: 'sentiment',
  question: 'Classify this review:\n{{review}}\nSentiment:',
  answer: ' {{sentiment}}',
  slots: { sentiment: { oneOf: ['Positive', 'Negative'] } },
});
const loved = { review: 'I loved this DVD!', sentiment: 'Positive' } as const;
const chair = { review: 'I don’t like this chair.', sentiment: 'Negative' } as const;
const query = { review: 'Who would use this product?' };

test('zero-, one- and few-shot', () => {
  const asked = 'Classify this review:\nWho would use this product?\nSentiment:';
  expect(task.withExamples([]).write(query)).toBe(asked);
  const first = 'Classify this review:\nI loved this DVD!\nSentiment: Positive\n\n';
  expect(task.withExamples([loved]).write(query)).toBe(first + asked);
  const second = 'Classify this review:\nI don’t like this chair.\nSentiment: Negative\n\n';
  expect(task.withExamples([loved, chair]).write(query)).toBe(first + second + asked);
  expect(task.question.write(query)).toBe(asked);
  expect(task.answer.write({ sentiment: 'Negative' })).toBe(' Negative');
});

test('an instruction before, a separator of one’s own', () => {
  const capitals = defineTask({
    name: 'capitals',
    instruction: 'Name the capital.',
    question: '{{country}} ->',
    answer: ' {{capital}}',
    separator: '\n',
  });
  const examples = [{ country: 'Peru', capital: 'Lima' }];
  expect(capitals.withExamples(examples).write({ country: 'Chad' })).toBe(
    'Name the capital.\nPeru -> Lima\nChad ->',
  );
  expect(capitals.withExamples([]).write({ country: 'Chad' })).toBe('Name the capital.\nChad ->');
});

test('a chat: examples are turns', () => {
  const chat = defineTask({
    name: 'chat',
    instruction: 'Be brief.',
    question: '{{q}}',
    answer: ' {{a}}',
    as: 'messages',
  });
  expect(chat.withExamples([{ q: '1+1', a: '2' }]).write({ q: '2+2' })).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: '1+1' },
    { role: 'assistant', content: '2' },
    { role: 'user', content: '2+2' },
  ]);
  expect(chat.withExamples([]).write({ q: '2+2' })).toHaveLength(2);
});

test('bad examples and tasks are refused by name', () => {
  const show =
    (...examples: object[]) =>
    () =>
      task.withExamples(examples as never);
  expect(show(loved, { review: 'No.' })).toThrow(
    "prompt 'sentiment', example 2 of the 2 that are shown: slot 'sentiment' has no value; expected a text",
  );
  expect(show({ ...loved, stars: '5' })).toThrow(
    "prompt 'sentiment', example 1 of the 1 that are shown: there is no slot 'stars'; its slots are 'review', 'sentiment'",
  );
  expect(show({ ...loved, sentiment: 'Mixed' })).toThrow(`slot 'sentiment' is "Mixed"`);
  expect(() => task.withExamples([]).write({} as never, { example: 4 })).toThrow(
    "prompt 'sentiment', example 4: slot 'review' has no value",
  );
  const define =
    (question: string, slots = {}) =>
    () =>
      defineTask({ name: 't', question, answer: '{{a}}', slots });
  expect(define('{{examples}}')).toThrow(
    "prompt 't': has a slot 'examples'; expected another name",
  );
  expect(define('{{q}}', { z: {} })).toThrow("slot 'z' is described and neither in its question");
});
