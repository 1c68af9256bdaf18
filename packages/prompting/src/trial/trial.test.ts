import { fileURLToPath } from 'node:url';
import { load } from '@headwise/text/node';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import {
  defineTrialPrompt,
  localModel,
  type PromptModel,
  planTrial,
  runTrial,
  ServerModelError,
  scoreOptions,
  type TrialExample,
  type TrialOptions,
  type TrialPlan,
  type TrialPromptDefinition,
  type TrialRecord,
  trialReport,
  wholeParts,
} from '../index.js';

const loaded = await load(fileURLToPath(new URL('../goldens/llama', import.meta.url)));
const model = localModel(loaded);
afterAll(() => loaded.model.params.dispose());

const definition = {
  name: 'kind',
  question: 'Word: {{word}}\nKind:',
  answer: ' {{kind}}\n',
  slots: { kind: { oneOf: ['work', 'license'] } },
} satisfies TrialPromptDefinition;
const prompt = defineTrialPrompt(definition);
const words = ['copy', 'grant', 'source', 'patent', 'object', 'notice', 'form'];
const rows = words.map((word, n): TrialExample => {
  return { id: `${n + 1}`, values: { word, kind: n % 2 ? 'license' : 'work' } };
});
const [examples, pool] = [rows.slice(0, 3), rows.slice(3)];
const planned = (more: Partial<TrialOptions> = {}): TrialPlan =>
  planTrial({ prompts: [prompt], examples, pool, ...more });

async function recordsOf(plan: TrialPlan, of: PromptModel = model): Promise<TrialRecord[]> {
  const records: TrialRecord[] = [];
  for await (const part of runTrial(of, plan)) records.push(...part.records);
  return records;
}
const linesOf = (records: readonly TrialRecord[]) =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');

describe('variants', () => {
  const namesOf = ({ variants }: TrialPlan) =>
    variants.map(({ condition, seed, order }) => `${condition}, ${seed}, ${order}`);

  test('are prompts, chains, shots, seeds and orders; what makes no difference is tried once', () => {
    expect(namesOf(planned({ shots: [0, 1, 2], orders: 3, seeds: 2, seed: 5 }))).toEqual([
      'kind, 0 shots, 5, 0',
      ...['kind, 1 shot, 5, 0', 'kind, 1 shot, 6, 0'],
      ...[
        'kind, 2 shots, 5, 0',
        'kind, 2 shots, 5, 1',
        'kind, 2 shots, 6, 0',
        'kind, 2 shots, 6, 1',
      ],
    ]);
    const chains = planned({ chain: [false, true], seeds: 2, generation: { temperature: 0.7 } });
    expect(namesOf(chains)).toEqual([
      'kind, 0 shots, 0, 0',
      ...['kind, 0 shots, chain, 0, 0', 'kind, 0 shots, chain, 1, 0'],
    ]);
  });

  test('show other examples with another seed, and the same ones in another order', async () => {
    const asked = examples.slice(0, 1);
    const records = await recordsOf(planned({ examples: asked, shots: [3], orders: 3, seeds: 2 }));
    const shown = records.map((one) => one.shown);
    expect(new Set(shown.map(String)).size).toBe(6);
    for (const own of [shown.slice(0, 3), shown.slice(3)]) {
      expect(new Set(own.map((ids) => [...ids].sort().join())).size).toBe(1);
    }
    const first = records[0]!;
    const text = first.shown.map((id) => {
      const { word, kind } = rows[Number(id) - 1]!.values;
      return `Word: ${word}\nKind: ${kind}\n\n\n`;
    });
    expect(first.calls[0]!.prompt).toBe(`${text.join('')}Word: copy\nKind:`);
  });

  test('show examples of the question’s own group', async () => {
    const grouped = rows.map((row, n) => ({ ...row, group: `rule ${n % 2}` }));
    const plan = planned({ examples: grouped.slice(0, 2), pool: grouped.slice(2), shots: [2] });
    for (const { example, shown } of await recordsOf(plan)) {
      expect(new Set([example, ...shown].map((id) => Number(id) % 2)).size).toBe(1);
    }
  });
});

describe('records', () => {
  test('hold every prompt, its scores and its tokens', async () => {
    const before = tf.memory().numTensors;
    const [record] = await recordsOf(planned());
    const text = 'Word: copy\nKind:';
    const [scores] = await scoreOptions(model, [{ prompt: text, options: ['work', 'license'] }], {
      ...{ lead: ' ', end: '\n' },
    });
    const logs = scores!.map(({ logProbability }) => logProbability);
    const shares = [
      1 / (1 + Math.exp(logs[1]! - logs[0]!)),
      1 / (1 + Math.exp(logs[0]! - logs[1]!)),
    ];
    const best = logs[0]! > logs[1]! ? 0 : 1;
    expect(record).toEqual({
      ...{ condition: 'kind, 0 shots', prompt: 'kind', shots: 0, chain: false, seed: 0, order: 0 },
      ...{ example: '1', shown: [], answer: ['work', 'license'][best], expected: 'work' },
      ...{ correct: best === 0, confidence: expect.closeTo(shares[best]!, 6) },
      calls: [
        {
          prompt: text,
          scores: ['work', 'license'].map((label, i) => ({
            ...{ label, logProbability: expect.closeTo(logs[i]!, 5) },
            probability: expect.closeTo(shares[i]!, 6),
          })),
        },
      ],
      promptTokens: 2 * model.encode(text).length,
      answerTokens: scores![0]!.tokens.length + scores![1]!.tokens.length,
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  test('are the same byte for byte, also of a run that goes on behind an interrupted one', async () => {
    const plan = planned({
      ...{ shots: [1], seeds: 2, chain: [false, true], batch: 2 },
      generation: { temperature: 0.9 },
      prompts: [defineTrialPrompt({ ...definition, reasoningTokens: 2 })],
    });
    const whole = linesOf(await recordsOf(plan));
    expect(linesOf(await recordsOf(plan))).toBe(whole);
    const lines = whole.split('\n').slice(0, -1);
    expect(new Set(lines).size).toBe(plan.variants.length * examples.length);
    // Parts of 2 and 1 questions.
    expect([0, 1, 2, 3, 4, 5, 1e9].map((count) => wholeParts(plan, count))).toEqual([
      ...[0, 0, 2, 3, 3, 5, lines.length],
    ]);
    const rest: TrialRecord[] = [];
    for await (const { records } of runTrial(model, plan, { done: 5 })) rest.push(...records);
    expect(linesOf(rest)).toBe(
      lines
        .slice(5)
        .map((line) => `${line}\n`)
        .join(''),
    );
    await expect(runTrial(model, plan, { done: 4 }).next()).rejects.toThrow(
      'done is 4; expected a number of records at the end of a part, such as 3',
    );
  });

  test('of written answers: found in the text, or said why not', async () => {
    const written = defineTrialPrompt({ ...definition, by: 'write', maxNewTokens: 3 });
    const answers = [' a license\n', ' Work, mostly', ' neither'];
    const asked: unknown[] = [];
    const writing: PromptModel = {
      ...model,
      write: async (prompts, options) => {
        asked.push(options);
        return prompts.map((_, n) => {
          return { text: answers[n]!, tokens: 3, promptTokens: 7, reason: 'stop' };
        });
      },
    };
    const records = await recordsOf(planned({ prompts: [written] }), writing);
    expect(records.map(({ answer, correct, problem }) => [answer, correct, problem])).toEqual([
      ['license', false, undefined],
      ['work', false, undefined],
      [undefined, false, "the answer names none of 'work', 'license'"],
    ]);
    expect(records[0]!.calls).toEqual([{ prompt: 'Word: copy\nKind:', answer: ' a license\n' }]);
    const seeds = (asked[0] as { seed: number; stop: string }[]).map(({ seed }) => seed);
    expect(new Set(seeds).size).toBe(3);
    expect(asked[0]).toMatchObject([{ maxNewTokens: 3, stop: '\n', temperature: 0 }, {}, {}]);
    const { answer, ...free } = { ...definition, slots: {}, answer: ' It is {{kind}}.' };
    const bare = defineTrialPrompt({ ...free, answer });
    expect(bare.extract(' It is work. ')).toEqual({ value: 'work' });
    expect(bare.extract('work')).toEqual({ value: 'work' });
    expect(bare.extract('It is .')).toEqual({ problem: 'the answer is empty' });
    const pattern = defineTrialPrompt({ ...definition, by: 'write', pattern: 'is (\\w+)' });
    expect(pattern.extract('so it is work')).toEqual({ value: 'work' });
  });

  test('of a chain of thought: the label is scored behind the reasoning', async () => {
    const plan = planned({
      ...{ chain: [true], examples: examples.slice(0, 1) },
      prompts: [
        defineTrialPrompt({ ...definition, reasoningTokens: 4, reason: 'Hm.', conclude: 'So' }),
      ],
    });
    const [record] = await recordsOf(plan);
    const [first, second] = record!.calls;
    expect(first!.prompt).toBe('Word: copy\nKind: Hm.');
    expect(second!.prompt).toBe(`Word: copy\nKind: Hm. ${first!.answer!.trim()}\nSo`);
    expect(second!.scores!.map(({ label }) => label)).toEqual(['work', 'license']);
    expect(record!.answerTokens).toBeGreaterThan(4);
  });

  test('of a chat: examples and the reasoning are turns, and labels are scored as its answer', async () => {
    const chat = defineTrialPrompt({
      ...{ ...definition, as: 'messages', instruction: 'Name the kind.', reason: 'Why?' },
      reasoningTokens: 2,
    });
    const plan = planned({
      ...{ prompts: [chat], shots: [1], chain: [false, true], examples: examples.slice(0, 1) },
    });
    const [plain, chained] = await recordsOf(plan);
    const { word, kind } = rows[Number(plain!.shown[0]) - 1]!.values;
    const before = [
      { role: 'system', content: 'Name the kind.' },
      { role: 'user', content: `Word: ${word}\nKind:` },
      { role: 'assistant', content: `${kind}\n` },
    ];
    expect(plain!.calls[0]!.prompt).toEqual([
      ...before,
      { role: 'user', content: 'Word: copy\nKind:' },
    ]);
    expect(plain!.calls[0]!.scores).toHaveLength(2);
    const [asked, concluded] = chained!.calls;
    const question = { role: 'user', content: 'Word: copy\nKind:\nWhy?' };
    expect(asked!.prompt).toEqual([...before, question]);
    expect(concluded!.prompt).toEqual([
      ...[...before, question],
      { role: 'assistant', content: asked!.answer!.trim() },
      { role: 'user', content: 'Therefore, the answer is' },
    ]);
  });

  test('calibrated by a question without content, which is scored once', async () => {
    const plan = planned({
      prompts: [defineTrialPrompt({ ...definition, contentFree: [{ word: 'N/A' }] })],
    });
    const asked: number[] = [];
    const counting: PromptModel = {
      ...model,
      score: (requests, options) => {
        asked.push(requests.length);
        return model.score(requests, options);
      },
    };
    const records = await recordsOf(plan, counting);
    expect(asked).toEqual([4]);
    const [bare] = await recordsOf(planned());
    const [empty] = await recordsOf(
      planned({ examples: [{ id: 'x', values: { word: 'N/A', kind: 'work' } }] }),
    );
    const shares = (record: TrialRecord) => record.calls[0]!.scores!.map((one) => one.probability);
    const ratios = shares(bare!).map((p, i) => p / shares(empty!)[i]!);
    expect(shares(records[0]!)[0]).toBeCloseTo(ratios[0]! / (ratios[0]! + ratios[1]!), 5);
    expect(records[0]!.promptTokens).toBe(bare!.promptTokens + empty!.promptTokens);
  });
});

describe('reports', () => {
  const base = { prompt: 'p', chain: false, shown: [], calls: [], expected: 'a' } as const;
  const record = (shots: number, example: number, right: number, more = {}): TrialRecord => ({
    ...{ ...base, condition: `p, ${shots} shots`, shots, seed: 0, order: 0, example: `${example}` },
    ...{ answer: right ? 'a' : 'b', correct: !!right, promptTokens: 10, answerTokens: 1, ...more },
  });

  test('by hand: ten questions, nine of which one condition alone answers', () => {
    const records = [0, 4].flatMap((shots) =>
      Array.from({ length: 10 }, (_, n) =>
        record(shots, n, Number(shots === 4 ? n < 9 : n === 9), { confidence: 0.8 }),
      ),
    );
    const { conditions, comparisons } = trialReport(records, {
      ...{ seed: 1, price: { read: 0.5, written: 2 }, seconds: new Map([['p, 4 shots', 3]]) },
    });
    const [none, four] = conditions;
    expect([none!.accuracy, four!.accuracy]).toEqual([0.1, 0.9]);
    expect(none!.high).toBeLessThan(four!.low);
    expect(four!.calibration!.error).toBeCloseTo(0.1, 12);
    expect(none!.calibration!.error).toBeCloseTo(0.7, 12);
    expect([four!.cost, four!.seconds, none!.seconds]).toEqual([10 * 10 * 0.5 + 20, 3, undefined]);
    expect(comparisons).toHaveLength(1);
    // b = 1, c = 9 of McNemar: 2 (1 + 10) / 2¹⁰.
    expect(comparisons[0]).toMatchObject({
      ...{ first: 'p, 0 shots', second: 'p, 4 shots', mean: expect.closeTo(-0.8, 9) },
      mcnemar: { onlyFirst: 1, onlySecond: 9, p: expect.closeTo(22 / 1024, 12) },
      adjusted: expect.closeTo(22 / 1024, 12),
    });
  });

  test('several draws and orders: their spread, and no test that takes them for one', () => {
    const draws = [
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 1],
    ].flatMap(([seed, order, right]) =>
      Array.from({ length: 4 }, (_, n) => record(2, n, right!, { seed, order })),
    );
    const zero = Array.from({ length: 4 }, (_, n) => record(0, n, n % 2, { answer: undefined }));
    const { conditions, comparisons } = trialReport([...zero, ...draws]);
    expect(conditions[1]).toMatchObject({ variants: 3, each: [1, 0, 1], questions: 4 });
    // A draw whose orders are all right and all wrong, and one that is right: 1/2 and 1.
    expect(conditions[1]!.accuracy).toBe(0.75);
    expect([conditions[1]!.low, conditions[1]!.high]).toEqual([0.5, 1]);
    expect(conditions[0]!.unanswered).toBe(1);
    expect(comparisons[0]!.mcnemar).toBeUndefined();
    expect(comparisons[0]!.adjusted).toBe(comparisons[0]!.p);
  });

  test('a variant without a question of the others is an error', () => {
    const records = [record(0, 1, 1), record(0, 2, 1), record(4, 1, 1)];
    expect(() => trialReport(records)).toThrow(
      'p, 4 shots: the question 2 has no answer with the seed 0 and the order 0; expected all 2',
    );
    expect(() => trialReport([])).toThrow('there are no records');
  });
});

describe('bad input names prompt and example', () => {
  test.each<[string, Partial<TrialOptions>, string]>([
    [
      'a slot without a value',
      { examples: [{ id: 'line 3', values: { kind: 'work' } }] },
      "prompt 'kind', example line 3: slot 'word' has no value; expected a text",
    ],
    [
      'an answer without a value',
      { examples: [{ id: '9', values: { word: 'a' } }] },
      "prompt 'kind', example 9: slot 'kind' has no value",
    ],
    [
      'a value without a slot',
      { pool: [{ id: '9', values: { word: 'a', kind: 'work', king: 'x' } }] },
      "prompt 'kind', example 9: there is no slot 'king'; its slots are 'word', 'kind'",
    ],
    [
      'a label that is none',
      { examples: [{ id: '9', values: { word: 'a', kind: 'deed' } }] },
      "prompt 'kind', example 9: slot 'kind' is \"deed\"; expected one of 'work', 'license'",
    ],
    [
      'a pool that is too small',
      { shots: [0, 5] },
      'example 1: 5 shots are asked for, and the pool has 4',
    ],
    ['an example twice', { pool: examples }, 'the example 1 is given twice'],
    ['a prompt twice', { prompts: [prompt, prompt] }, 'the prompt kind is given twice'],
    ['shots twice', { shots: [1, 1] }, 'the number of shots 1 is given twice'],
    ['no prompt', { prompts: [] }, 'there are no prompts'],
    ['no example', { examples: [] }, 'there are no examples'],
    ['no seed', { seeds: 0 }, 'seeds is 0; expected a whole number of at least 1'],
    ['half a shot', { shots: [0.5] }, '0.5 examples are asked for; expected a whole number'],
  ])('%s', (_, more, message) => {
    expect(() => planned(more)).toThrow(message);
  });

  test.each<[string, Partial<TrialPromptDefinition>, string]>([
    [
      'no slot',
      { answer: ' x' },
      "prompt 'kind': its answer has no slot; expected the slot of the label",
    ],
    [
      'two slots',
      { answer: ' {{kind}} {{why}}' },
      "its answer has 2 slots (kind, why); expected one, or its name in 'label'",
    ],
    ['another label', { label: 'word' }, "its answer has no slot 'word'"],
    ['one label', { slots: { kind: { oneOf: ['work'] } } }, "slot 'kind' has 1 labels to score"],
    [
      'a pattern of scores',
      { pattern: 'x' },
      "'pattern' is given and answers are scored; expected by: 'write'",
    ],
    ['a pattern that is none', { by: 'write', pattern: '(' }, "'pattern' is no regular expression"],
    [
      'scores of texts',
      { by: 'write', normalization: 'mean' },
      "'normalization' is given and answers are written",
    ],
    [
      'a rationale that is scored',
      { answer: ' {{why}} {{kind}}', label: 'kind' },
      "has other slots than the label 'kind'",
    ],
  ])('a prompt with %s', (_, more, message) => {
    expect(() => defineTrialPrompt({ ...definition, ...more })).toThrow(message);
  });

  test('what only the model finds: examples longer than the context, labels of the same tokens, and of one that begins another', async () => {
    const long = { id: 'long', values: { word: 'patent '.repeat(400), kind: 'work' } };
    const plan = planned({ pool: [long], shots: [1] });
    await expect(recordsOf(plan)).rejects.toThrow(/^prompt 'kind', example 1: .*256/s);
    const labels = (...oneOf: string[]) =>
      planned({
        prompts: [
          defineTrialPrompt({ ...definition, answer: ' {{kind}}', slots: { kind: { oneOf } } }),
        ],
        pool: [],
        examples: [{ id: '7', values: { word: 'a', kind: oneOf[0]! } }],
      });
    await expect(recordsOf(labels('work', 'works'))).rejects.toThrow(
      "prompt 'kind', example 7: the tokens of option 'work' begin those of 'works'",
    );
    const same: PromptModel = {
      ...model,
      score: async (requests) =>
        requests.map(({ continuations }) =>
          continuations.map(() => {
            return { tokens: [3], promptTokens: 1, logProbability: -1, isGreedy: false };
          }),
        ),
    };
    await expect(recordsOf(labels('é', 'e\u0301'), same)).rejects.toThrow(
      "prompt 'kind', example 7: options 'é' and 'e\u0301' have the same tokens [3]",
    );
    const broken: PromptModel = {
      ...model,
      score: () => Promise.reject(new ServerModelError('no')),
    };
    await expect(recordsOf(planned(), broken)).rejects.toThrow("prompt 'kind', example 1 to 3: no");
  });
});
