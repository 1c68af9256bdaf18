import { fileURLToPath } from 'node:url';
import type { Prompt } from '@headwise/text';
import { load } from '@headwise/text/node';
import { afterAll, describe, expect, test } from 'vitest';
import {
  accuracyOf,
  defineTrialPrompt,
  localModel,
  type OptimizeOptions,
  optimizePrompt,
  type PromptModel,
  type SearchOptions,
  searchPrompt,
  type TrialExample,
} from '../../index.js';

const loaded = await load(fileURLToPath(new URL('../../goldens/llama', import.meta.url)));
const llama = localModel(loaded);
afterAll(() => loaded.model.params.dispose());

const prompt = defineTrialPrompt({
  name: 'parity',
  instruction: 'Answer.',
  question: 'Number: {{number}}\nKind:',
  answer: ' {{kind}}',
  slots: { kind: { oneOf: ['odd', 'even'] } },
});
const words = 'zero one two three four five six seven eight nine ten eleven twelve thirteen'.split(
  ' ',
);
const examples = words.map((number, n): TrialExample => {
  return { id: `${n}`, values: { number, kind: n % 2 ? 'odd' : 'even' } };
});
const parts = {
  pool: examples.slice(0, 6),
  validation: examples.slice(6, 10),
  heldOut: examples.slice(10),
};

/** Knows the kinds once its instruction speaks of parity, else says odd; rewrites as it is told to. */
function rule(rewritings: readonly string[] = []): PromptModel & { readonly asked: string[] } {
  const asked: string[] = [];
  const left = [...rewritings];
  const textOf = (given: Prompt) => (typeof given === 'string' ? given : JSON.stringify(given));
  return {
    ...{ name: 'rule', contextLength: Number.POSITIVE_INFINITY, asked },
    encode: (given) => [...textOf(given)].map((_, n) => n),
    write: async (prompts) =>
      prompts.map((given) => {
        asked.push(textOf(given));
        return { text: left.shift() ?? '', tokens: 5, promptTokens: 9, reason: 'stop' };
      }),
    score: async (requests) =>
      requests.map(({ prompt: given, continuations }) => {
        const text = textOf(given);
        asked.push(text);
        const number = words.indexOf(/Number: (.*)\nKind:$/.exec(text)![1]!);
        const kind = !text.includes('parity') || number % 2 ? 'odd' : 'even';
        return continuations.map((option) => ({
          ...{ tokens: [option], promptTokens: 3, isGreedy: false },
          logProbability: option.trim() === kind ? -0.1 : -3,
        }));
      }),
  };
}

describe('a search', () => {
  const random: SearchOptions = {
    ...{ pool: parts.pool, validation: parts.validation, budget: 24, shots: [0, 2] },
    instructions: ['Guess.', 'Say the parity.'],
  };

  test('at random finds the instruction that helps, within its budget, the same for the same seed', async () => {
    const model = rule();
    const seen: number[] = [];
    const found = await searchPrompt(model, prompt, {
      ...random,
      onCandidate: (_, spent) => seen.push(spent),
    });
    expect(found.candidates[0]).toMatchObject({ origin: 'given', shown: [] });
    expect(accuracyOf(found.candidates[0]!)).toBe(0.5);
    const best = found.candidates[found.best]!;
    expect(best.prompt.definition.instruction).toBe('Say the parity.');
    expect(accuracyOf(best)).toBe(1);
    expect(found.spent).toBe(model.asked.length);
    expect(found.spent).toBe(24);
    expect(seen).toEqual([4, 8, 12, 16, 20, 24]);
    const keys = found.candidates.map(({ prompt: { definition }, shown }) =>
      JSON.stringify([definition.instruction, shown]),
    );
    expect(new Set(keys).size).toBe(keys.length);
    // Of equal ones that with the fewest examples.
    const equal = found.candidates.filter((one) => accuracyOf(one) === 1);
    expect(best.shown.length).toBe(Math.min(...equal.map(({ shown }) => shown.length)));
    const again = rule();
    await searchPrompt(again, prompt, random);
    expect(again.asked).toEqual(model.asked);
    const other = rule();
    await searchPrompt(other, prompt, { ...random, seed: 3 });
    expect(other.asked).not.toEqual(model.asked);
  });

  test('ends where nothing is left to draw', async () => {
    const { candidates } = await searchPrompt(rule(), prompt, {
      ...{ ...random, shots: [0], budget: 1000 },
    });
    expect(candidates).toHaveLength(3);
  });

  test('by reflection: a model rewrites from wrong answers; what does not help there is not judged', async () => {
    const model = rule([
      '',
      'Answer.',
      'Use {{this}}.',
      'Think hard.',
      '```\nName the parity of the number.\n```\nGood luck!',
    ]);
    const { candidates, best, reflections, spent } = await searchPrompt(model, prompt, {
      ...{ pool: parts.pool, validation: parts.validation, budget: 90 },
      reflection: { questions: 4 },
    });
    expect(
      reflections.slice(0, 5).map(({ instruction, problem }) => instruction ?? problem),
    ).toEqual([
      'the answer is empty',
      'the answer repeats the instruction',
      "the answer has '{{', which begins a slot",
      'Think hard.',
      'Name the parity of the number.',
    ]);
    const taken = candidates.map(({ prompt: { definition } }) => definition.instruction);
    expect(taken).toEqual(['Answer.', 'Name the parity of the number.']);
    expect(candidates[best]!.origin).toEqual({ reflectionOn: 0 });
    const [first] = reflections;
    expect(first!.prompt).toContain('```\nAnswer.\n```');
    expect(first!.prompt).toMatch(/Number: \w+\nKind:\nIts answer: odd\nThe right answer: even/);
    // Right answers are not reflected on, and validation is never shown.
    expect(first!.prompt).not.toContain('The right answer: odd');
    for (const { values } of parts.validation) {
      expect(reflections.some((one) => one.prompt.includes(`Number: ${values.number}\n`))).toBe(
        false,
      );
    }
    expect(spent).toBeLessThanOrEqual(90);
  });

  test.each<[string, Partial<SearchOptions>, string]>([
    ['a budget of zero', { budget: 0 }, 'budget is 0; expected a whole number of at least 1'],
    [
      'a budget for one candidate',
      { budget: 7 },
      'budget is 7; expected at least 8: the prompt and another candidate are asked 4 questions each',
    ],
    [
      'a budget without a rewriting',
      { budget: 15, reflection: true },
      'budget is 15; expected at least 16',
    ],
    ['nothing to judge by', { validation: [] }, 'there are no examples to judge by'],
    ['nothing to draw', { shots: [0], instructions: [] }, 'neither shots nor instructions to draw'],
    ['more shots than examples', { shots: [7] }, '7 shots are asked for, and the pool has 6'],
    [
      'nothing to reflect on',
      { shots: [4], reflection: true, budget: 99 },
      'expected 4 more to reflect on',
    ],
  ])('with %s is refused', async (_, more, message) => {
    await expect(searchPrompt(rule(), prompt, { ...random, ...more })).rejects.toThrow(message);
  });
});

describe('held-out questions', () => {
  const mentions = (text: string) =>
    parts.heldOut.some(({ values }) => text.includes(`${values.number}\n`));

  test.each<[string, PromptModel, Partial<OptimizeOptions>]>([
    ['a random search, on a real model', llama, { budget: 12, shots: [0, 1] }],
    ['a reflective one', rule(['Name the parity.']), { budget: 40, reflection: { questions: 3 } }],
  ])('are in no prompt before the report of %s', async (_, model, options) => {
    const asked: string[] = [];
    const watched: PromptModel = {
      ...model,
      write: (prompts, given) => {
        asked.push(...(prompts as string[]));
        return model.write(prompts, given);
      },
      score: (requests, given) => {
        asked.push(...requests.map((one) => one.prompt as string));
        return model.score(requests, given);
      },
    };
    const found = await optimizePrompt(watched, prompt, {
      ...{ ...parts, budget: 40, ...options },
    });
    const { spent, reflections } = found.search;
    const searched = asked.slice(0, spent + reflections.length);
    expect(searched.length).toBeGreaterThan(parts.validation.length);
    expect(searched.filter(mentions)).toEqual([]);
    const last = asked.slice(searched.length);
    expect(last.length).toBe(parts.heldOut.length * found.report.conditions.length);
    expect(last.filter(mentions)).toEqual(last);
    expect(found.records.map(({ example }) => example).slice(0, 4)).toEqual([
      '10',
      '11',
      '12',
      '13',
    ]);
  });

  test('are answered better by what was found: the report has both, and their test', async () => {
    const {
      report,
      prompt: found,
      shown,
    } = await optimizePrompt(rule(), prompt, {
      ...{ ...parts, budget: 16, instructions: ['Say the parity.'] },
    });
    expect(found.name).toBe('parity');
    expect(found.definition.instruction).toBe('Say the parity.');
    expect(shown).toEqual([]);
    expect(report.conditions.map(({ condition, accuracy }) => [condition, accuracy])).toEqual([
      ['parity, 0 shots', 0.5],
      ['parity, optimized, 0 shots', 1],
    ]);
    expect(report.comparisons[0]!.mcnemar).toMatchObject({ onlyFirst: 0, onlySecond: 2 });
  });

  test('are told from those of the search: near repetitions are reported, the same one is refused', async () => {
    const text = (id: string, number: string): TrialExample => ({
      id,
      values: { number, kind: 'odd' },
    });
    const near = text('near', 'The number of whales that were seen in the year was five.');
    const known = text('known', 'the number of whales that were seen in the year was six');
    const { leaks } = await optimizePrompt(rule(), prompt, {
      ...{ ...parts, budget: 16, instructions: ['Guess.'] },
      ...{ pool: [...parts.pool, known], heldOut: [near, ...parts.heldOut] },
    });
    // Each text has 10 runs of three words. They share 9, and have 11 different ones together.
    expect(leaks).toEqual([
      { example: 'near', other: 'known', similarity: expect.closeTo(9 / 11, 9) },
    ]);
    await expect(
      optimizePrompt(rule(), prompt, { ...parts, budget: 16, heldOut: parts.validation }),
    ).rejects.toThrow('the example 6 is given twice');
    await expect(
      optimizePrompt(rule(), prompt, { ...parts, budget: 16, heldOut: [] }),
    ).rejects.toThrow('there are no held-out examples');
  });
});
