import { InputError } from '@headwise/core';
import type { Prompt } from '@headwise/text';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { definePrompt, defineTask, fitPrompt, type PromptReader } from './index.js';

/** A token a word, by which a reader can count along. */
const words: PromptReader = {
  contextLength: 12,
  encode: (prompt: Prompt) => {
    const text =
      typeof prompt === 'string' ? prompt : prompt.map(({ content }) => content).join(' ');
    return text
      .split(/\s+/)
      .filter(Boolean)
      .map((word) => word.length);
  },
};

const ask = definePrompt({
  name: 'ask',
  text: 'Read: {{passages}} {{notes}} Question: {{question}}',
  slots: {
    passages: { kind: 'list', separator: ' ', priority: 1 },
    notes: {},
    question: { whole: true },
  },
});
const values = {
  passages: ['a b c', 'd e f'],
  notes: 'one two, three four',
  question: 'Who is it?',
};

describe('a budget in tokens, by hand: 2 of the template, 6 + 4 + 3 of the values', () => {
  test('what fits stays as it is', () => {
    const fitted = fitPrompt(ask, values, words, { budget: 15 });
    expect(fitted.prompt).toBe(ask.write(values));
    expect(fitted.ids).toHaveLength(15);
    expect(fitted.cuts).toEqual([]);
  });

  test('the lowest priority is cut first, at the bounds of words, and as little as is needed', () => {
    const { prompt, ids, cuts } = fitPrompt(ask, values, words, { budget: 13 });
    expect(prompt).toBe('Read: a b c d e f one two, Question: Who is it?');
    expect(ids).toHaveLength(13);
    expect(cuts).toEqual([
      {
        slot: 'notes',
        unit: 'characters',
        before: 19,
        after: 8,
        tokens: 2,
        reason:
          "the prompt has 15 tokens, the budget is 13; 'notes' has priority 0, the lowest of those left to cut",
      },
    ]);
  });

  test('then the next; a list loses items as a whole', () => {
    const { prompt, ids, cuts } = fitPrompt(ask, values, words, { budget: 10 });
    expect(prompt).toBe('Read: a b c  Question: Who is it?');
    expect(ids).toHaveLength(8);
    expect(cuts.map(({ slot, before, after, tokens }) => [slot, before, after, tokens])).toEqual([
      ['notes', 19, 0, 4],
      ['passages', 2, 1, 3],
    ]);
    expect(cuts[1]!.reason).toBe(
      "the prompt still has 11 of its 15 tokens, the budget is 10; 'passages' has priority 1, the lowest of those left to cut",
    );
  });

  test('a whole slot is never cut: the error names prompt, example and both numbers', () => {
    expect(fitPrompt(ask, values, words, { budget: 5 }).prompt).toBe(
      'Read:   Question: Who is it?',
    );
    expect(() => fitPrompt(ask, values, words, { budget: 4, example: 7 })).toThrow(
      new InputError(
        "prompt 'ask', example 7: has 5 tokens: its text and 'question', which have to stay; the budget is 4: shorten them, or give a greater one",
      ),
    );
  });

  test('the side that is cut', () => {
    const tail = definePrompt({ name: 'tail', text: '{{log}}', slots: { log: { cut: 'start' } } });
    expect(fitPrompt(tail, { log: 'one two three' }, words, { budget: 2 }).prompt).toBe(
      'two three',
    );
    const last = definePrompt({
      name: 'last',
      messages: [{ slot: 'turns' }, { role: 'user', content: 'Now?' }],
      slots: { turns: { kind: 'messages', cut: 'start', least: 1 } },
    });
    const turns = ['a b', 'c', 'd'].map((content) => ({ role: 'user', content }));
    const { prompt } = fitPrompt(last, { turns }, words, { budget: 3 });
    expect((prompt as readonly { content?: unknown }[]).map(({ content }) => content)).toEqual([
      'c',
      'd',
      'Now?',
    ]);
    expect(() => fitPrompt(last, { turns: turns.slice(0, 1) }, words, { budget: 2 })).toThrow(
      "prompt 'last': has 3 tokens: its text and 1 item of 'turns', which have to stay; the budget is 2",
    );
  });
});

test('by default the budget is the context without the answer; one of zero is an error', () => {
  expect(fitPrompt(ask, values, words).ids.length).toBeLessThanOrEqual(12);
  expect(fitPrompt(ask, values, words, { answer: 4 }).budget).toBe(8);
  for (const budget of [0, -1, 1.5, Number.NaN]) {
    expect(() => fitPrompt(ask, values, words, { budget, example: 2 })).toThrow(
      `prompt 'ask', example 2: the budget is ${budget}; expected a whole number of at least 1`,
    );
  }
  expect(() => fitPrompt(ask, values, words, { answer: 12 })).toThrow(
    "prompt 'ask': the budget is 0, a context of 12 tokens without 12 for the answer; expected at least 1",
  );
  expect(() => fitPrompt(ask, values, words, { answer: -1 })).toThrow('-1 tokens are kept');
  const endless = { ...words, contextLength: Number.POSITIVE_INFINITY };
  expect(fitPrompt(ask, values, endless).cuts).toEqual([]);
});

test('the examples of a task: the first leave first, one stays, and one that is too long is an error', () => {
  const task = defineTask({ name: 'task', question: 'Q {{q}} A', answer: ' {{a}}' });
  const shots = task.withExamples([1, 2, 3].map((n) => ({ q: `q${n}`, a: `a${n}` })));
  const { prompt, cuts } = fitPrompt(shots, { q: 'q' }, words, { budget: 11 });
  expect(prompt).toBe('Q q2 A a2\n\nQ q3 A a3\n\nQ q A');
  expect(cuts).toMatchObject([{ slot: 'examples', unit: 'items', before: 3, after: 2, tokens: 4 }]);
  const long = task.withExamples([{ q: 'one two three four five six', a: 'seven eight nine' }]);
  expect(() => fitPrompt(long, { q: 'q' }, words, { example: 5 })).toThrow(
    "prompt 'task', example 5: has 14 tokens: its text and 'q', 1 item of 'examples', which have to stay; the budget is 12",
  );
});

test('for any values and budget: within it, whole slots whole, every cut told, and no word cut in two', () => {
  const text = fc.array(fc.constantFrom('a', 'bb', 'naïve', '東京', '👩‍🚀', '.'), { maxLength: 6 });
  fc.assert(
    fc.property(
      text,
      fc.array(text, { maxLength: 4 }),
      text,
      fc.integer({ min: 1, max: 20 }),
      (notes, passages, question, budget) => {
        const given = {
          notes: notes.join(' '),
          passages: passages.map((passage) => passage.join(' ')),
          question: question.join(' '),
        };
        const whole = words.encode(ask.write(given)).length;
        if (2 + question.length > budget) {
          expect(() => fitPrompt(ask, given, words, { budget })).toThrow(InputError);
          return;
        }
        const { prompt, ids, values: kept, cuts } = fitPrompt(ask, given, words, { budget });
        expect(ids.length).toBeLessThanOrEqual(budget);
        expect(prompt).toContain(`Question: ${given.question}`);
        expect(whole - cuts.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(ids.length);
        const before = given.notes.split(' ');
        const after = (kept.notes as string).split(' ').filter(Boolean);
        expect(before.slice(0, after.length)).toEqual(after);
        expect(given.passages.slice(0, (kept.passages as string[]).length)).toEqual(kept.passages);
      },
    ),
  );
});
