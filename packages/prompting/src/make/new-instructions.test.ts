import { expect, test } from 'vitest';
import {
  evolvedInstructions,
  makePrompts,
  noRefusals,
  responses,
  rougeL,
  ServerModelError,
  selfInstruct,
} from '../index.js';
import { byRule, leftOf, made, rowsOf } from './by-rule.cases.js';

// rougeL.fmeasure of rouge-score 0.1.2, RougeScorer(['rougeL'], use_stemmer=False).
test.each([
  ['the cat sat on the mat', 'the cat lay on a mat', 0.6666666666666666],
  ['Name three seas.', 'Name three old seas of the north!', 0.6],
  ['a b c d e f g', 'g f e d c b a', 0.14285714285714285],
  ['Write a poem about 3 whales', 'write a Poem about 4 whales', 0.8333333333333334],
  ['one', 'two', 0],
])('ROUGE-L of %j and %j', (a, b, expected) => {
  expect(rougeL(a, b)).toBeCloseTo(expected, 12);
  expect(rougeL(b, a)).toBeCloseTo(expected, 12);
});

const prompts = makePrompts('messages', {
  evolve: 'Make harder: {{method}} {{instruction}}',
  invent: 'Make another of: {{instruction}}',
  same: 'Same?\n{{first}}\n{{second}}',
  tasks: '{{tasks}}\nGo on with {{next}}:',
});

test('instructions are evolved from round to round, each from what it has become', async () => {
  const model = byRule((prompt) => {
    if (prompt.startsWith('Make')) return `${prompt.split(' ').at(-1)}+`;
    if (!prompt.startsWith('Same?')) return `answer to ${prompt}`;
    return prompt.endsWith('b++') ? 'Verdict: same' : 'Verdict: different';
  });
  const instructions = ['a', 'b'].map((instruction) => ({
    place: `i:${instruction}`,
    instruction,
  }));
  const entries = await made(evolvedInstructions(instructions, { prompts, rounds: 3 }), { model });
  const asked = rowsOf(entries).map((row) => (row.messages as { content: string }[])[0]!.content);
  // What the model finds the same is begun again from what was there before.
  expect(asked).toEqual(['a+', 'b+', 'a++', 'a+++']);
  expect(leftOf(entries)).toEqual([
    [
      'not evolved',
      expect.stringMatching(
        /^prompt '(?:evolve|invent)', example i:b: the instruction asks for the same/,
      ),
    ],
    ['not evolved', expect.stringMatching(/example i:b: /)],
  ]);
  expect(rowsOf(entries)[2]).toMatchObject({
    made: { recipe: 'evolve', evolved: { from: 'a+', by: expect.any(String) } },
  });
  const evolutions = ['constrain'] as const;
  const [first] = await made(
    evolvedInstructions(instructions, { prompts, rounds: 1, evolutions }),
    { model },
  );
  expect(first!.asked.find(({ name }) => name === 'evolve')!.prompt).toMatchObject([
    { content: 'Make harder: add one more constraint or requirement. a' },
  ]);
});

test('an instruction that repeats words of its prompt is none', async () => {
  const model = byRule(() => 'New instruction: do more');
  const [entry] = await made(
    evolvedInstructions([{ place: 'i:1', instruction: 'Do.' }], { prompts, rounds: 1 }),
    { model },
  );
  expect(leftOf([entry!])[0]).toEqual([
    'not evolved',
    expect.stringContaining('the instruction repeats words of the prompt'),
  ]);
});

test('new instructions: of those shown and its own, until there are enough; what is like another is left out', async () => {
  const seeds = ['Name three large seas', 'Count the legs of a cow'];
  let written = 0;
  const shown: string[] = [];
  const model = byRule((prompt) => {
    if (!prompt.includes('Go on with')) return `answer to ${prompt}`;
    shown.push(prompt);
    written++;
    return [
      `3. Tell me the story number ${written} about ${'whale '.repeat(written)}`,
      '4. Name three large old seas',
      '5. Draw me a picture of it',
      '6. Too short',
      '7. A last one that is cut…',
    ].join('\n');
  });
  const recipe = selfInstruct(seeds, {
    prompts,
    count: 3,
    together: 1,
    shown: 3,
    own: 1,
    similarity: 0.8,
  });
  const entries = await made(recipe, { model, seed: 1 });
  const asked = rowsOf(entries).map((row) => (row.messages as { content: string }[])[0]!.content);
  expect(asked).toHaveLength(3);
  expect(asked[0]).toBe('Tell me the story number 1 about whale');
  const left = leftOf(entries).map(([, reason]) => reason);
  expect(left).toContainEqual(
    "prompt 'tasks', example round 1, prompt 1, task 2: 'Name three large old seas' is like 'Name three large seas'",
  );
  expect(left).toContainEqual(expect.stringContaining("asks for 'Draw', which is no text"));
  expect(left).toContainEqual(
    expect.stringContaining("'Too short' has 2 words; expected 4 to 150"),
  );
  expect(left.join()).not.toContain('that is cut');
  // The second round shows one of its own beside the two that were given.
  expect(shown[0]).toMatch(/^1\. .*\n2\. .*\nGo on with 3:$/);
  expect(shown[1]).toMatch(/^1\. .*\n2\. .*\n3\. .*\nGo on with 4:$/);
  expect(shown[1]).toContain('the story number 1');
  expect(await made(recipe, { model: byRule(() => '1. no'), seed: 1 }).then(rowsOf)).toEqual([]);
});

test('a list of one task that is cut is left out', async () => {
  const recipe = selfInstruct(['Name a sea'], { prompts, count: 1, together: 1, rounds: 1 });
  expect(leftOf(await made(recipe, { model: byRule(() => '2. Name all…') }))).toEqual([
    [
      'unfinished',
      "prompt 'tasks', example round 1, prompt 1: the only task of the answer has no end",
    ],
  ]);
});

test('self-instruct goes on from where it was, with the same rows', async () => {
  const seeds = ['Name three large seas', 'Count the legs of a cow'];
  const model = byRule((prompt, { seed }) =>
    prompt.includes('Go on with') ? `3. Do the thing of number ${seed} for me` : `so ${seed}`,
  );
  const recipe = selfInstruct(seeds, { prompts, count: 4, together: 2, similarity: 0.95 });
  const whole = await made(recipe, { model, seed: 2 });
  expect(rowsOf(whole)).toHaveLength(4);
  for (const cut of [1, 3, 5]) {
    const rest = await made(recipe, { model, seed: 2, past: whole.slice(0, cut) });
    expect(rest).toEqual(whole.slice(cut));
  }
});

test('a server that fails ends the run, by the names of prompt and example; a refusal is left out', async () => {
  const queries = ['one', 'two'].map((instruction) => ({ place: `q:${instruction}`, instruction }));
  const model = byRule(() => 'As an AI language model I cannot.');
  const lying = {
    ...model,
    write: async () => {
      throw new ServerModelError("http://x/v1: the answer is of the model 'b'; expected 'a'");
    },
  };
  await expect(made(responses(queries), { model: lying })).rejects.toThrow(
    "prompt 'answer', example q:one: http://x/v1: the answer is of the model 'b'; expected 'a'",
  );
  const entries = await made(responses(queries), { model, filters: [noRefusals()] });
  expect(leftOf(entries).map(([rule]) => rule)).toEqual(['refusal', 'refusal']);
});
