import type { Prompt } from '@headwise/text';
import { describe, expect, test } from 'vitest';
import {
  byPattern,
  chainOfThought,
  definePrompt,
  defineTask,
  leastToMost,
  type PromptModel,
  pipe,
  runStep,
  writeSlot,
} from '../index.js';

/** A model by a rule, so that every prompt and answer can be checked: a token a word. */
function byRule(rule: (prompt: string) => string, contextLength = 100): PromptModel {
  const textOf = (prompt: Prompt) =>
    typeof prompt === 'string'
      ? prompt
      : prompt.map(({ role, content }) => `${role}: ${content}`).join('\n');
  const encode = (prompt: Prompt) =>
    textOf(prompt)
      .split(/\s+/)
      .filter(Boolean)
      .map((word) => word.length);
  return {
    name: 'rule',
    contextLength,
    encode,
    write: async (prompts) =>
      prompts.map((prompt) => {
        const text = rule(textOf(prompt));
        return {
          text,
          tokens: encode(text).length,
          promptTokens: encode(prompt).length,
          reason: 'stop',
        };
      }),
    score: async () => [],
  };
}

describe('a step adds what the model writes', () => {
  const facts = definePrompt({ name: 'facts', text: 'Facts about {{topic}}:' });
  const ask = definePrompt({
    name: 'ask',
    text: '{{context}}\nQuestion: {{question}}\nAnswer:',
    slots: { question: { whole: true } },
  });
  const values = { topic: 'whales', question: 'Do whales breathe air?' };

  test('context before the answer, each prompt and answer kept', async () => {
    const model = byRule((prompt) =>
      prompt.startsWith('Facts') ? ' Whales are mammals. ' : ' Yes ',
    );
    const step = pipe(writeSlot(facts, 'context'), writeSlot(ask, 'answer'));
    const result = await runStep(step, values, model);
    expect(result.values).toEqual({ ...values, context: 'Whales are mammals.', answer: 'Yes' });
    expect(result.records).toEqual([
      {
        name: 'facts',
        prompt: 'Facts about whales:',
        cuts: [],
        answer: ' Whales are mammals. ',
        promptTokens: 3,
        answerTokens: 3,
      },
      {
        name: 'ask',
        prompt: 'Whales are mammals.\nQuestion: Do whales breathe air?\nAnswer:',
        cuts: [],
        answer: ' Yes ',
        promptTokens: 9,
        answerTokens: 1,
      },
    ]);
  });

  test('within the budget: long context is cut, the whole question is not', async () => {
    const model = byRule((prompt) => (prompt.startsWith('Facts') ? 'word '.repeat(30) : 'Yes'), 20);
    const step = pipe(writeSlot(facts, 'context'), writeSlot(ask, 'answer', { maxNewTokens: 4 }));
    const { records } = await runStep(step, values, model);
    expect(records[1]).toMatchObject({ promptTokens: 16, cuts: [{ slot: 'context', tokens: 20 }] });
  });

  test('without a limit of the answer the prompt leaves room for what the model writes then', async () => {
    const long = { ...values, context: 'word '.repeat(300) };
    const promptTokens = async (model: PromptModel, more = {}) => {
      const { records } = await runStep(writeSlot(ask, 'answer', more), long, model);
      return records[0]!.promptTokens;
    };
    const model = byRule(() => 'Yes', 200);
    expect(await promptTokens(model)).toBe(200 - 64);
    expect(await promptTokens({ ...model, answerTokens: 30 })).toBe(200 - 30);
    expect(await promptTokens({ ...model, answerTokens: 5000 })).toBe(100);
    expect(await promptTokens(model, { maxLength: 90 })).toBe(199);
    expect(await promptTokens(model, { maxNewTokens: 10 })).toBe(190);
  });

  test('errors name the prompt and the example', async () => {
    const model = byRule(() => 'perhaps');
    const number = writeSlot(facts, 'count', { extract: byPattern(/\d+/) });
    await expect(runStep(number, values, model, { example: 7 })).rejects.toThrow(
      "prompt 'facts', example 7: nothing in the answer matches /\\d+/",
    );
    await expect(runStep(writeSlot(facts, 'topic'), values, model)).rejects.toThrow(
      "prompt 'facts': writes 'topic', which has a value already; expected none",
    );
    await expect(runStep(writeSlot(facts, 'a'), {} as never, model)).rejects.toThrow(
      "prompt 'facts': slot 'topic' has no value",
    );
  });
});

describe('chain of thought: reasoning, then the answer behind it', () => {
  const rule = (prompt: string) =>
    prompt.endsWith('Therefore, the answer is') ? ' 42.' : ' 6 times 7 is 42. ';
  const extract = byPattern(/\d+/, { which: 'first' });

  test('of a text', async () => {
    const question = definePrompt({ name: 'sum', text: 'Q: {{question}}\nA:' });
    const values = { question: 'What is 6 × 7?' };
    const step = chainOfThought(question, { extract });
    const result = await runStep(step, values, byRule(rule));
    expect(result.values).toEqual({ ...values, reasoning: '6 times 7 is 42.', answer: '42' });
    const first = "Q: What is 6 × 7?\nA: Let's think step by step.";
    expect(result.records.map(({ prompt }) => prompt)).toEqual([
      first,
      `${first} 6 times 7 is 42.\nTherefore, the answer is`,
    ]);
  });

  test('of a chat, with worked examples', async () => {
    const task = defineTask({
      name: 'sum',
      question: '{{question}}',
      answer: '{{answer}}',
      as: 'messages',
    });
    const question = task.withExamples([{ question: '1 + 1', answer: '2' }]);
    const step = chainOfThought(question, { extract, reason: 'Reason first.' });
    const { values, records } = await runStep(step, { question: '6 × 7' }, byRule(rule));
    expect(values.answer).toBe('42');
    expect(records[1]!.prompt).toEqual([
      { role: 'user', content: '1 + 1' },
      { role: 'assistant', content: '2' },
      { role: 'user', content: '6 × 7\nReason first.' },
      { role: 'assistant', content: '6 times 7 is 42.' },
      { role: 'user', content: 'Therefore, the answer is' },
    ]);
  });

  test('reasoning that is too long loses its beginning', async () => {
    const question = definePrompt({
      name: 'sum',
      text: '{{question}}',
      slots: { question: { whole: true } },
    });
    const long = byRule(
      (prompt) => (prompt.endsWith('is') ? '42' : `start ${'on '.repeat(40)}end`),
      30,
    );
    const { records } = await runStep(chainOfThought(question), { question: 'Why?' }, long);
    expect(records[1]!.cuts).toMatchObject([{ slot: 'reasoning' }]);
    expect(records[1]!.prompt).toMatch(
      /^Why\? Let's think step by step\. (on )+end\nTherefore, the answer is$/,
    );
  });
});

describe('least to most', () => {
  const decompose = definePrompt({ name: 'decompose', text: 'Take apart: {{question}}' });
  const solve = definePrompt({
    name: 'solve',
    text: '{{solved}}Q: {{question}}\nA:',
    slots: { solved: { kind: 'list', end: '\n' } },
  });
  const values = { question: 'How many legs have 2 cats and a bird?' };
  const answers: Record<string, string> = {
    'How many legs has a cat?': ' 4',
    'How many legs have 2 cats?': ' 8',
    [values.question]: ' 10',
  };
  const rule = (prompt: string) =>
    prompt.startsWith('Take apart')
      ? '1. How many legs has a cat?\n- How many legs have 2 cats?\n\n'
      : answers[/Q: ([^\n]*)\nA:$/.exec(prompt)![1]!]!;

  test('each part behind those that are answered, the question last', async () => {
    const result = await runStep(leastToMost({ decompose, solve }), values, byRule(rule));
    expect(result.values.answer).toBe('10');
    expect(result.values.parts.map(({ answer }) => answer)).toEqual(['4', '8', '10']);
    expect(result.records.at(-1)!.prompt).toBe(
      `Q: How many legs has a cat?\nA: 4\nQ: How many legs have 2 cats?\nA: 8\nQ: ${values.question}\nA:`,
    );
  });

  test('each prompt leaves room for an answer, and the most parts are a whole number', async () => {
    const step = leastToMost({ decompose, solve });
    const { records } = await runStep(
      step,
      values,
      byRule((prompt) => (prompt.startsWith('Take') ? rule(prompt) : ' 8'.repeat(120)), 200),
    );
    for (const { promptTokens } of records) expect(promptTokens).toBeLessThanOrEqual(200 - 64);
    for (const most of [0, 1.5, Number.NaN]) {
      expect(() => leastToMost({ decompose, solve, most })).toThrow(
        `most is ${most}; expected a whole number of at least 1`,
      );
    }
  });

  test('too many parts are an error', async () => {
    const step = leastToMost({ decompose, solve, most: 1 });
    await expect(runStep(step, values, byRule(rule), { example: 2 })).rejects.toThrow(
      "prompt 'decompose', example 2: the answer takes the question apart into 2 parts; expected at most 1",
    );
  });
});
