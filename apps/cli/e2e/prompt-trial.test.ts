import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  headwise,
  headwiseHere,
  jsonLines,
  program,
  repository,
  temporaryFolder,
} from './headwise.js';

const work = temporaryFolder();
const at = (name: string) => join(work, name);
const model = join(repository, 'packages/prompting/src/goldens/llama');

const rows = ['copy', 'grant', 'source', 'patent', 'object', 'notice', 'form', 'mark'].map(
  (word, n) => ({ word, kind: n % 2 ? 'license' : 'work', n }),
);
const write = (name: string, values: readonly object[]) =>
  writeFileSync(at(name), values.map((value) => `${JSON.stringify(value)}\n`).join(''));
const prompt = {
  question: 'Word: {{word}}\nKind:',
  answer: ' {{kind}}\n',
  slots: { kind: { oneOf: ['work', 'license'] } },
  reasoningTokens: 2,
};
write('data.jsonl', rows);
writeFileSync(at('kind.json'), JSON.stringify(prompt));
writeFileSync(at('plain.json'), JSON.stringify({ ...prompt, question: '{{word}} is a' }));

const trial = (out: string, ...args: string[]) => [
  ...['prompt', 'trial', '--data', at('data.jsonl'), '--prompt', at('kind.json')],
  ...['--id', 'n', '--out', at(out), ...args],
];
const local = ['--model', model];
const variants = ['--shots', '0,1', '--seeds', '2', '--chain', '--limit', '2', '--batch', '2'];
const read = (folder: string, name: string) => readFileSync(join(at(folder), name), 'utf8');

test('a table, a plot, and every prompt and answer, the same bytes for the same seed; a killed one goes on', async () => {
  const ran = await headwiseHere(trial('a', ...local, ...variants, '--price', '0.15,0.6'));
  expect(ran.stderr).toBe('');
  expect(ran.code).toBe(0);
  expect(ran.stdout).toContain('trial      6 variants of 2 examples');
  expect(ran.stdout).toMatch(/^prompt +shots +chain +accuracy +95 % interval .* cost$/m);
  expect(ran.stdout).toMatch(/^kind +1 +yes +\d+\.\d % /m);
  expect(ran.stdout).toMatch(/^kind, .*, against +points +interval +test +p +adjusted$/m);
  const svg = read('a', 'accuracy.svg');
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg.match(/<polyline/g)).toHaveLength(2);
  const records = jsonLines(read('a', 'answers.jsonl'));
  expect(records).toHaveLength(12);
  expect(records[0]).toMatchObject({ condition: 'kind, 0 shots', prompt: 'kind', chain: false });
  // The share of the pool: a quarter, and its examples are never asked.
  const asked = new Set(records.map(({ example }) => example));
  const shown = new Set(records.flatMap((record) => record.shown as string[]));
  expect([...asked].filter((id) => shown.has(id as string))).toEqual([]);
  const report = JSON.parse(read('a', 'report.json'));
  expect(report.conditions.map((one: { condition: string }) => one.condition)).toEqual([
    ...['kind, 0 shots', 'kind, 1 shot', 'kind, 0 shots, chain', 'kind, 1 shot, chain'],
  ]);
  expect(report.conditions[0].seconds).toBeGreaterThan(0);

  await headwiseHere(trial('b', ...local, ...variants));
  expect(read('b', 'answers.jsonl')).toBe(read('a', 'answers.jsonl'));
  // As a kill leaves it, within a line.
  const journal = join(at('b'), 'journal.jsonl');
  const lines = read('b', 'journal.jsonl').split('\n');
  truncateSync(journal, Buffer.byteLength(`${lines[0]}\n${lines[1]}\n`));
  appendFileSync(journal, lines[2]!.slice(0, 40));
  const resumed = await headwiseHere(trial('b', ...local, ...variants, '--json'));
  expect(read('b', 'answers.jsonl')).toBe(read('a', 'answers.jsonl'));
  const [first, ...more] = jsonLines(resumed.stdout);
  expect(first).toMatchObject({ event: 'progress', done: 4, answers: 12 });
  expect(more.at(-1)).toMatchObject({ event: 'done', level: 0.95 });
  const other = await headwiseHere(trial('b', ...local, ...variants, '--seed', '9'));
  expect(other.stderr).toContain("run.json: the run there has 'variants'");
  expect(other.code).toBe(2);
});

test('a search keeps what it found, and what that is worth on questions it did not see', async () => {
  const optimize = (out: string, ...args: string[]) => [
    ...['prompt', 'optimize', ...local, '--data', at('data.jsonl'), '--prompt', at('kind.json')],
    ...['--id', 'n', '--out', at(out), ...args],
  ];
  const ran = await headwiseHere(
    optimize('found', '--budget', '9', '--shots', '0,1', '--instruction', 'Name the kind.'),
  );
  expect(ran.stderr).toBe('');
  expect(ran.stdout).toContain('examples   3 to show and learn from, 3 to judge by, 2 held out');
  expect(ran.stdout.match(/^candidate {2}\d: /gm)).toHaveLength(3);
  const { candidates, best, spent } = JSON.parse(read('found', 'search.json'));
  expect([candidates.length, spent]).toEqual([3, 9]);
  const found = JSON.parse(read('found', 'prompt.json'));
  expect(found.instruction).toBe(candidates[best].instruction);
  const shots = candidates[best].shown.length;
  expect(jsonLines(read('found', 'shown.jsonl'))).toHaveLength(shots);
  const again = ['--prompt', join(at('found'), 'prompt.json'), '--shots', `${shots}`];
  if (shots > 0) again.push('--pool', join(at('found'), 'shown.jsonl'), '--choose', 'first');
  const tried = await headwiseHere([
    ...['prompt', 'trial', ...local, '--data', at('data.jsonl'), '--ignore', 'n', '--limit', '1'],
    ...[...again, '--out', at('tried')],
  ]);
  expect(tried.code).toBe(0);
  const cases: [args: string[], message: string][] = [
    [['--budget', '0'], 'budget is 0; expected a whole number of at least 1'],
    [['--budget', '5', '--shots', '1'], 'budget is 5; expected at least 6'],
    [['--budget', '9'], 'has neither shots nor instructions to draw; expected some, or reflection'],
    [['--budget', '9', '--held-out-share', '0.6'], 'expected shares above 0, together below 1'],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await headwiseHere(optimize('refused', ...args));
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  }
});

let served: ChildProcess | undefined;
afterAll(() => {
  served?.kill('SIGKILL');
});

test('a server in place of a folder: the same answers', async () => {
  const env = { ...process.env, HEADWISE_BACKEND: 'cpu', HEADWISE_API_KEY: 'secret' };
  const args = [program, 'serve', '--model', model, '--port', '0', '--json'];
  served = spawn(process.execPath, args, { cwd: repository, env });
  const [line] = (await once(served.stdout!, 'data')) as [Buffer];
  const url = `${JSON.parse(line.toString()).url}v1`;
  const two = ['--shots', '1', '--limit', '2', '--prompt', at('plain.json')];
  process.env.TRIAL_KEY = 'secret';
  const ran = await headwiseHere(
    trial('served', '--url', url, '--key-variable', 'TRIAL_KEY', ...two),
  );
  expect(ran.stderr).toBe('');
  expect((await headwiseHere(trial('here', ...local, ...two))).code).toBe(0);
  const answers = (folder: string) =>
    jsonLines(read(folder, 'answers.jsonl')).map(({ prompt: name, example, answer, calls }) => {
      const [{ prompt: text }] = calls as [{ prompt: string }];
      return { name, example, answer, text };
    });
  expect(answers('served')).toEqual(answers('here'));
  for (const name of ['run.json', 'answers.jsonl', 'report.json', 'journal.jsonl']) {
    expect(read('served', name)).not.toContain('secret');
  }
  const refused = await headwiseHere(trial('no-key', '--url', url));
  expect(refused.stderr).toContain(`${url}/models: status 401`);
  expect(refused.code).toBe(1);
  delete process.env.TRIAL_KEY;
});

test('bad input is refused before a model is loaded, by name', async () => {
  write('missing.jsonl', [rows[0]!, { kind: 'work', n: 1 }]);
  write('strange.jsonl', [{ ...rows[0], source: 'x' }]);
  write('label.jsonl', [{ ...rows[0], kind: 'deed' }]);
  writeFileSync(at('broken.jsonl'), `${JSON.stringify(rows[0])}\n{"word":`);
  writeFileSync(at('keys.json'), JSON.stringify({ ...prompt, opions: ['a'] }));
  writeFileSync(at('one.json'), JSON.stringify({ ...prompt, slots: { kind: { oneOf: ['a'] } } }));
  const data = (name: string) => ['--data', at(name)];
  const cases: [args: string[], message: string][] = [
    [
      data('missing.jsonl'),
      "missing.jsonl:2: has no field 'word', which prompt 'kind' has a slot for; its fields are 'kind', 'n'",
    ],
    [
      data('strange.jsonl'),
      "strange.jsonl:1: the field 'source' has no slot in prompt 'kind'; its slots are 'word', 'kind': name it in --ignore",
    ],
    [
      data('label.jsonl'),
      "prompt 'kind', example 0: slot 'kind' is \"deed\"; expected one of 'work', 'license'",
    ],
    [data('broken.jsonl'), 'broken.jsonl:2: {"word": is not JSON'],
    [data('none.jsonl'), 'none.jsonl'],
    [['--prompt', at('keys.json')], 'keys.json: the prompt: Unrecognized key: "opions"'],
    [['--prompt', at('one.json')], "prompt 'one': slot 'kind' has 1 labels to score"],
    [['--prompt', at('kind.json')], 'the prompt kind is given twice'],
    [
      ['--shots', '9'],
      '--data has 8 examples, and 9 shots take all of them; expected more, or --pool',
    ],
    [['--resamples', '0'], 'resamples is 0; expected a whole number of at least 1'],
    [['--shots', 'x'], "'x' is not a whole number"],
    [['--pool', at('data.jsonl')], 'the example 0 is given twice'],
    [
      ['--choose', 'best'],
      "--choose is 'best'; expected one of random, first, balanced, similar, diverse",
    ],
    [['--price', '3'], "'3' is not two prices such as 0.15,0.6"],
    [['--seeds', '0'], 'seeds is 0; expected a whole number of at least 1'],
    [['--url', 'http://127.0.0.1:1/v1'], '--model and --url are given; expected one of them'],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await headwiseHere(trial('bad', ...local, ...args));
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  }
  const nowhere = headwise(trial('bad', '--url', 'http://127.0.0.1:1/v1'));
  expect(nowhere.stderr).toMatch(/http:\/\/127\.0\.0\.1:1\/v1\/models: no whole answer/);
  expect(nowhere.code).toBe(1);
});
