import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { trainChatModel } from './chat-model.js';
import { headwiseHere, headwiseKilled, jsonLines, temporaryFolder } from './headwise.js';

const work = temporaryFolder();
const file = (name: string) => join(work, name);
const rowsOf = (folder: string) =>
  jsonLines(readFileSync(join(file(folder), 'examples.jsonl'), 'utf8'));
const write = (name: string, rows: readonly object[]) =>
  writeFileSync(file(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

let model = '';
beforeAll(async () => {
  ({ model } = await trainChatModel(work));
  const subjects = ['the whale', 'the captain', 'a sailor', 'the old ship', 'our boat', 'the sea'];
  write(
    'queries.jsonl',
    subjects.map((subject) => ({ instruction: `${subject} saw`, sum: subject.length })),
  );
  write(
    'documents.jsonl',
    subjects.map((subject) => ({ text: `${subject} found the sea.` })),
  );
});

const make = (kind: string, data: string, out: string, ...more: string[]) => [
  ...['prompt', 'make', kind, '--model', model, '--data', file(data), '--out', file(out)],
  ...['--max-new-tokens', '6', '--keep-unfinished', ...more],
];

/** Runs a command that must succeed. */
async function done(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await headwiseHere(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const finetune = (method: string, folder: string) =>
  done([
    ...['finetune', '--model', model, '--data', join(file(folder), 'examples.jsonl')],
    ...['--method', method, '--steps', '2', '--batch-size', '2', '--validation', '0'],
    ...['--out', file(`${folder}-tuned`)],
  ]);

test('answers: made, told, and straight into finetune --method sft', async () => {
  const stdout = await done(make('responses', 'queries.jsonl', 'answers', '--answers', '2'));
  expect(stdout).toMatch(/^step 0\/6 {2}0 kept, 0 left out/);
  expect(stdout).toMatch(/step 6\/6 {2}\d+ kept, \d+ left out, \d+ tokens\/s, 0 s left/);
  expect(stdout).toContain('--method sft --out tuned');
  const rows = rowsOf('answers');
  expect(rows.length).toBeGreaterThan(6);
  expect(rows[0]).toMatchObject({
    messages: [{ role: 'user', content: 'the whale saw' }, { role: 'assistant' }],
    made: { recipe: 'responses', model: 'model', source: 'queries.jsonl:1', temperature: 0.7 },
  });
  await finetune('sft', 'answers');
});

test('the same seed makes the same bytes, also where the run was killed and called again', async () => {
  const args = make('responses', 'queries.jsonl', 'killed', '--together', '1', '--answers', '3');
  await done(make('responses', 'queries.jsonl', 'whole', '--answers', '3'));
  const journal = join(file('killed'), 'journal.jsonl');
  const moment = (async () => {
    while (!existsSync(journal) || readFileSync(journal, 'utf8') === '') await setTimeout(5);
  })();
  await headwiseKilled(args, moment);
  await done(args);
  for (const name of ['examples.jsonl', 'left-out.jsonl', 'report.json', 'journal.jsonl']) {
    const [killed, whole] = ['killed', 'whole'].map((folder) =>
      readFileSync(join(file(folder), name), 'utf8'),
    );
    expect(killed, name).toBe(whole);
  }
});

test.each(['dpo', 'kto'])(
  'preferences by a rule, straight into finetune --method %s',
  async (method) => {
    const folder = `rule-${method}`;
    const rule = ['--judge', 'rule', '--rule', 'longer', '--method', method];
    await done(make('preferences', 'queries.jsonl', folder, '--answers', '3', ...rule));
    const rows = rowsOf(folder);
    expect(rows.length).toBeGreaterThan(2);
    for (const { chosen, rejected } of method === 'dpo' ? rows : []) {
      const [better, worse] = [chosen, rejected].map(
        (said) => (said as [{ content: string }])[0].content,
      );
      expect([...better!].length).toBeGreaterThan([...worse!].length);
    }
    await finetune(method, folder);
  },
);

test('preferences of texts by a reward of ones own in a module', async () => {
  writeFileSync(
    file('reward.mjs'),
    'export const reward = (_, answer, { sum }) => answer.length % sum;\n',
  );
  const reward = ['--judge', 'reward', '--reward', file('reward.mjs'), '--as', 'text'];
  await done(make('preferences', 'queries.jsonl', 'reward', '--answers', '3', ...reward));
  expect(rowsOf('reward')[0]).toMatchObject({
    prompt: expect.stringMatching(/^### Instruction:\n.* saw\n\n### Response:\n$/),
    made: { judged: { judge: 'reward reward.mjs' } },
  });
});

test('people choose: answers in groups, then pairs by what they chose', async () => {
  await done(make('responses', 'queries.jsonl', 'groups', '--answers', '3', '--grouped'));
  const groups = rowsOf('groups') as { answers: string[] }[];
  const chosen = groups
    .filter(({ answers }) => answers.length > 1)
    .map((row) => ({ ...row, chosen: 1 }));
  write('chosen.jsonl', chosen);
  await done(make('preferences', 'chosen.jsonl', 'people', '--judge', 'choices'));
  const [pair] = rowsOf('people');
  const { answers } = chosen[0]!;
  expect(pair).toMatchObject({
    chosen: [{ content: answers[1] }],
    rejected: [{ content: answers[0] }],
  });
});

test('instructions: a judge outside its form is left out with its reason, by prompt and example', async () => {
  const prompts = { instruct: '{{document}}?', score: '{{instruction}}{{response}}' };
  writeFileSync(file('short.json'), JSON.stringify(prompts));
  const more = ['--prompts', file('short.json'), '--rounds', '2', '--tries', '2', '--json'];
  const args = make('instructions', 'documents.jsonl', 'scored', ...more);
  const { code, stderr } = await headwiseHere(args);
  expect([code, stderr]).toEqual([0, 'headwise: no example was kept; left-out.jsonl says why\n']);
  const left = jsonLines(readFileSync(join(file('scored'), 'left-out.jsonl'), 'utf8'));
  expect(left).toHaveLength(12);
  for (const { rule, reason } of left) {
    expect(['outside its form', 'empty']).toContain(rule);
    expect(reason).toMatch(/^prompt '(?:instruct|score)', example documents\.jsonl:\d: /);
  }
});

test('what cannot be used is refused before work begins', async () => {
  const refused = async (args: readonly string[], message: string) => {
    const { code, stderr } = await headwiseHere(args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  };
  const pairs = (...more: string[]) => make('preferences', 'queries.jsonl', 'none', ...more);
  await refused(pairs('--judge', 'taste'), "--judge is 'taste'; expected one of rule, reward");
  await refused(pairs('--judge', 'rule'), '--rule is missing; expected it with --judge rule');
  await refused(
    pairs('--judge', 'choices', '--rule', 'longer'),
    '--rule is given for --judge choices, which does not take it',
  );
  await refused(pairs('--judge', 'rule', '--rule', 'taste'), "--rule is 'taste'; expected shorter");
  const instructions = (...more: string[]) =>
    make('instructions', 'documents.jsonl', 'none', ...more);
  await refused(instructions('--method', 'self-instruct'), '--count is missing');
  await refused(
    instructions('--count', '3'),
    '--count is given for --method back-translation, which does not take it',
  );
  await refused(
    make('responses', 'documents.jsonl', 'none'),
    "documents.jsonl:1: has 'text'; expected 'prompt', 'instruction' or 'messages' that ask something",
  );
  writeFileSync(file('prompts.json'), '{"score": "{{document}}"}');
  await refused(
    instructions('--prompts', file('prompts.json')),
    "prompt 'score': has a slot 'document'; expected some of instruction, response",
  );
  expect(existsSync(file('none'))).toBe(false);
});
