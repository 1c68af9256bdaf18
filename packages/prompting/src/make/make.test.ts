import { expect, test } from 'vitest';
import {
  answerLength,
  backTranslation,
  choicesJudge,
  constitutionJudge,
  makePrompts,
  noDuplicates,
  noRefusals,
  preferences,
  responses,
  revisionJudge,
  rewardJudge,
  scoreForm,
} from '../index.js';
import { byRule, leftOf, made, rowsOf } from './by-rule.cases.js';

const queries = ['one', 'two', 'three'].map((instruction, n) => ({
  place: `q:${n + 1}`,
  instruction,
}));

test('answers: messages or texts, with where they come from', async () => {
  const model = byRule((prompt) => ` To ${prompt.length}. `);
  const [first] = await made(responses(queries), { model, seed: 3 });
  const { example } = first!.rows[0]!;
  const { prompt: _, ...record } = first!.asked[0]!;
  expect(example).toEqual({
    messages: [
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'To 3.' },
    ],
    made: {
      ...{ recipe: 'responses', model: 'rule', revision: 'r1', prompt: 'answer' },
      ...{ seed: record.seed, temperature: 0.7, source: 'q:1' },
    },
  });
  const { task } = makePrompts('text', {
    question: 'Q: {{instruction}}\nA:',
    answer: ' {{response}}\n',
  });
  const [row] = rowsOf(await made(responses(queries, { task }), { model, seed: 3 }));
  expect(row).toMatchObject({ prompt: 'Q: one\nA:', completion: ' To 9.\n' });
});

test('several answers have seeds of their own, the same for the same seed', async () => {
  const model = byRule((_, { seed }) => `answer ${seed}`);
  const make = (seed: number, together?: number) =>
    made(responses(queries, { answers: 2 }), { model, seed, together });
  const rows = await make(3);
  expect(new Set(rowsOf(rows).map((row) => JSON.stringify(row))).size).toBe(6);
  expect(await make(3, 1)).toEqual(rows);
  expect(await make(4)).not.toEqual(rows);
});

test('what is unfinished, empty, a refusal, too long or a near repetition is left out with its reason', async () => {
  const texts = ['It is …', ' ', "I'm sorry, no.", 'x'.repeat(30), 'So it is, 1.', 'so it is 1'];
  const items = texts.map((instruction, n) => ({ place: `q:${n + 1}`, instruction }));
  const filters = [noRefusals(), answerLength({ most: 20 }), noDuplicates()];
  const entries = await made(responses(items), { model: byRule((prompt) => prompt), filters });
  expect(leftOf(entries)).toEqual([
    ['unfinished', "prompt 'answer', example q:1: the answer has no end within 1 tokens"],
    ['empty', "prompt 'answer', example q:2: the answer is empty"],
    ['refusal', expect.stringMatching(/^q:3: an answer refuses, by /)],
    ['long', 'q:4: an answer has 30 characters; expected at most 20'],
    ['duplicate', 'q:6: nearly repeats a row before it'],
  ]);
  expect(rowsOf(entries)).toHaveLength(1);
});

test('numbers tell rows apart that are equal otherwise', async () => {
  const items = [12, 13, 12].map((n) => ({
    place: `${n}`,
    instruction: `How much is ${n} and five?`,
  }));
  const model = byRule((prompt) => `Here is the result of it: ${prompt.match(/\d+/)![0]}`);
  const entries = await made(responses(items), { model, filters: [noDuplicates()] });
  expect(leftOf(entries)).toEqual([['duplicate', '12: nearly repeats a row before it']]);
});

test('instructions are written for documents, scored, and in the next round written anew with the best as examples', async () => {
  const documents = ['Whales breathe air.', 'Ships sink.'].map((document, n) => ({
    place: `d:${n + 1}`,
    document,
  }));
  const seen: string[] = [];
  const model = byRule((prompt) => {
    if (prompt.endsWith('Instruction:')) {
      seen.push(prompt);
      return prompt.includes('Ships') && !prompt.includes('breathe')
        ? ' Say. '
        : ' What do they do? ';
    }
    return prompt.includes('Say.') ? 'Vague. Score: 2' : 'Good. Score: 5';
  });
  const prompts = makePrompts('messages', {
    instruct: '{{examples}}Text: {{document}}\nInstruction:',
    example: 'Text: {{document}}\nInstruction: {{instruction}}',
  });
  const entries = await made(backTranslation(documents, { prompts, rounds: 3 }), { model });
  expect(entries.map(({ round, place }) => [round, place])).toEqual([
    [0, 'd:1'],
    [0, 'd:2'],
    [1, 'd:2'],
  ]);
  expect(seen.at(-1)).toBe(
    'Text: Whales breathe air.\nInstruction: What do they do?\n\nText: Ships sink.\nInstruction:',
  );
  expect(leftOf(entries)).toEqual([
    ['score', "prompt 'score', example d:2: the score is 2; expected at least 4"],
  ]);
  expect(rowsOf(entries)[1]).toMatchObject({
    messages: [
      { role: 'user', content: 'What do they do?' },
      { role: 'assistant', content: 'Ships sink.' },
    ],
    made: {
      recipe: 'back-translation',
      prompt: 'instruct',
      score: 5,
      judge: { prompt: 'score', temperature: 0 },
    },
  });
});

test('a judge outside its form is asked again with other seeds, and then left out by prompt and example', async () => {
  let asked = 0;
  const model = byRule((prompt, { temperature }) => {
    if (!prompt.includes('Score:')) return 'What is it?';
    asked++;
    return temperature === 0 ? 'Fine!' : 'Score: 11, or 4.5';
  });
  const documents = [{ place: 'd:1', document: 'It is.' }];
  const entries = await made(backTranslation(documents), { model, retries: 2 });
  expect(asked).toBe(3);
  expect(leftOf(entries)).toEqual([
    [
      'outside its form',
      "prompt 'score', example d:1: the answer has no 'Score: ' with a number from 1 to 5, as in 2 before it",
    ],
  ]);
  expect(
    entries[0]!.asked.map(({ temperature, problem }) => [temperature, problem !== undefined]),
  ).toEqual([
    [0.7, false],
    [0, true],
    [0.7, true],
    [0.7, true],
  ]);
});

test('pairs by a reward: the best and the worst, or all; equal ones are none', async () => {
  const lengths = ['aaa', 'a', 'aa', 'a'];
  const one = [{ place: 'q:1', instruction: 'Say a.', answers: lengths }];
  const judge = rewardJudge('long', (_, answer) => answer.length);
  const pairs = async (more: object) =>
    rowsOf(await made(preferences(one, { judge, ...more }), { model: byRule(() => '') })).map(
      ({ chosen, rejected, completion, label }) => [chosen ?? completion, rejected ?? label],
    );
  const { task } = makePrompts('text');
  expect(await pairs({ task })).toEqual([['aaa', 'a']]);
  expect(await pairs({ task, pairs: 'all' })).toEqual([
    ['aaa', 'aa'],
    ['aaa', 'a'],
    ['aaa', 'a'],
    ['aa', 'a'],
    ['aa', 'a'],
  ]);
  expect(await pairs({ task, method: 'kto' })).toEqual([
    ['aaa', true],
    ['a', false],
  ]);
  const [chat] = rowsOf(await made(preferences(one, { judge }), { model: byRule(() => '') }));
  expect(chat).toMatchObject({
    prompt: [{ role: 'user', content: 'Say a.' }],
    chosen: [{ role: 'assistant', content: 'aaa' }],
    rejected: [{ role: 'assistant', content: 'a' }],
  });
  const even = preferences(queries, { judge: rewardJudge('even', () => 1) });
  const model = byRule((_, { seed }) => `${seed}`);
  expect(leftOf(await made(even, { model }))[0]).toEqual([
    'tie',
    "q:1: the judge 'even' prefers none of 2 answers; expected one",
  ]);
  const broken = preferences(queries, { judge: rewardJudge('broken', () => Number.NaN) });
  await expect(made(broken, { model })).rejects.toThrow(
    "q:1: the reward 'broken' of answer 1 is NaN; expected a finite number",
  );
  expect(leftOf(await made(even, { model: byRule(() => 'same') }))[0]).toEqual([
    'too few answers',
    'q:1: there are 1 different answers; expected at least 2 to compare',
  ]);
});

test('pairs by choices of people', async () => {
  const of = (data: object) => [
    { place: 'q:1', instruction: 'Say.', answers: ['a', 'b', 'c'], data: data as never },
  ];
  const pairs = async (data: object) => {
    const recipe = preferences(of(data), { judge: choicesJudge(), task: makePrompts('text').task });
    return rowsOf(await made(recipe, { model: byRule(() => '') })).map((row) => [
      row.chosen,
      row.rejected,
    ]);
  };
  expect(await pairs({ chosen: 1 })).toEqual([['b', 'a']]);
  expect(await pairs({ chosen: 'c', rejected: 'b' })).toEqual([['c', 'b']]);
  await expect(pairs({ chosen: 3 })).rejects.toThrow(
    "q:1: 'chosen' is 3; expected one of the 3 answers, or its number from 0",
  );
  await expect(pairs({})).rejects.toThrow("q:1: 'chosen' is ");
});

test('pairs by a constitution: both orders count, so that a place is not preferred', async () => {
  const query = [{ place: 'q:1', instruction: 'Say.', answers: ['good', 'bad'] }];
  const judged = async (verdict: (prompt: string) => string) => {
    const judge = constitutionJudge({ principles: ['Be good.'] });
    const entries = await made(preferences(query, { judge }), { model: byRule(verdict) });
    return { rows: rowsOf(entries), left: leftOf(entries), asked: entries[0]!.asked };
  };
  const fair = await judged((prompt) =>
    prompt.includes('Answer A:\ngood') ? 'A is kind. Verdict: A' : '(B)',
  );
  expect(fair.asked).toHaveLength(2);
  expect(fair.rows).toMatchObject([
    {
      chosen: [{ content: 'good' }],
      made: {
        judged: { judge: 'constitution', model: 'rule', principle: 'Be good.', scores: [1, 0] },
      },
    },
  ]);
  expect((await judged(() => 'Verdict: A')).left[0]![0]).toBe('tie');
});

test('pairs by critique and revision', async () => {
  const judge = revisionJudge({ principles: ['Be short.'], rounds: 2 });
  const model = byRule((prompt) => {
    if (prompt.endsWith('Critique:')) return 'Too long.';
    const [, answer] = /Answer:\n(\S+)\n/.exec(prompt) ?? [];
    return prompt.endsWith('New answer:') ? answer!.slice(1) : 'long';
  });
  const entries = await made(preferences(queries.slice(0, 1), { judge }), { model });
  expect(rowsOf(entries)).toMatchObject([
    {
      chosen: [{ content: 'ng' }],
      rejected: [{ content: 'long' }],
      made: { judged: { revised: [{ critique: 'Too long.' }, { principle: 'Be short.' }] } },
    },
  ]);
});

test('prompts of ones own: unknown names and slots are refused', () => {
  expect(() => makePrompts('text', { strange: 'a' } as never)).toThrow(
    "there is no prompt 'strange'; expected one of question, answer, instruct",
  );
  expect(() => makePrompts('text', { score: '{{document}}' })).toThrow(
    "prompt 'score': has a slot 'document'; expected some of instruction, response",
  );
  expect(() => makePrompts('text', { question: 'Q:' })).toThrow(
    "prompt 'question': has no slot; expected the slot 'instruction' alone",
  );
});

test.each([
  ['Good.\nScore: 4', 4],
  ['**Score:** 3', 3],
  [' 5\n', 5],
  ['Score: 2. No: Score: 4/5', 4],
  ['Score: 4.5', undefined],
  ['Score: 11', undefined],
  ['4 legs', undefined],
  ['Score: 6', undefined],
])('the score of %j is %s', (answer, score) => {
  const found = scoreForm(answer);
  expect('value' in found ? found.value : undefined).toBe(score);
});
