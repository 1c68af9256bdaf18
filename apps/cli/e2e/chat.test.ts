import { spawn } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import {
  headwise,
  headwiseHere,
  jsonLines,
  program,
  temporaryFolder,
  writeConfig,
} from './headwise.js';

const work = temporaryFolder();
const model = join(work, 'model');
const chat = ['chat', '--model', model, '--max-new-tokens', '8', '--temperature', '0.8'];

beforeAll(async () => {
  const config = writeConfig(work, (c) => {
    c.model = { dim: 16, heads: 2, layers: 1, context: 64, position: 'rotary' };
    c.training.steps = 2;
  });
  const { code, stderr } = await headwiseHere(['train', '--config', config, '--out', model]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const template =
    '{% for m in messages %}{{ m.role[0] }}:{{ m.content }};{% endfor %}{% if add_generation_prompt %}a:{% endif %}';
  writeFileSync(join(model, 'chat_template.jinja'), template);
});

/** What the model writes after a text. */
async function continued(prompt: string, seed: number): Promise<string> {
  const sampling = ['--max-new-tokens', '8', '--temperature', '0.8', '--seed', String(seed)];
  const args = ['generate', '--model', model, '--prompt', prompt, ...sampling, '--json'];
  return JSON.parse((await headwiseHere(args)).stdout).text;
}

test('each line from a pipe is a message, answered after all before it, and /save writes them', async () => {
  const saved = join(work, 'saved.json');
  const input = `the sea\n\n/save ${saved}\n /whale\n/save ${saved}\n/reset\nthe sea`;
  const run = headwise([...chat, '--seed', '5', '--system', 'Hi'], input);
  const first = await continued('s:Hi;u:the sea;a:', 5);
  const second = await continued(`s:Hi;u:the sea;a:${first};u:/whale;a:`, 6);
  expect(run).toMatchObject({ code: 0, stdout: `${first}\n${second}\n${first}\n` });
  expect(run.stderr.split('\n').filter((line) => !line.startsWith('The answer ends at 8'))).toEqual(
    [`${saved}: 3 messages`, `${saved}: 5 messages`, 'The conversation begins anew.', ''],
  );
  expect(JSON.parse(readFileSync(saved, 'utf8'))).toEqual([
    { role: 'system', content: 'Hi' },
    { role: 'user', content: 'the sea' },
    { role: 'assistant', content: first },
    { role: 'user', content: '/whale' },
    { role: 'assistant', content: second },
  ]);
});

test('the oldest turns are forgotten where the context is full, and it says so', async () => {
  const message = 'zq'.repeat(12);
  const run = headwise([...chat, '--json'], `${message}\n`.repeat(3));
  expect(run.code).toBe(0);
  const answers = jsonLines(run.stdout);
  expect(answers.map(({ forgotten }) => forgotten)).toEqual([0, 1, 1]);
  // Asked again, the message alone has 29 tokens; only the last one or two are read anew.
  expect(answers[0]!.reused).toBe(0);
  for (const { reused } of answers.slice(1)) expect(reused).toBeGreaterThanOrEqual(27);
  expect(run.stderr).toContain('The oldest turn is forgotten: the context holds 64 tokens.');
  const alone = `u:${message};a:`;
  const expected = [
    await continued(alone, 0),
    await continued(alone, 1),
    await continued(alone, 2),
  ];
  expect(answers.map(({ text }) => text)).toEqual(expected);
});

test('Ctrl-C stops an answer, and the conversation goes on with what was written', async () => {
  const long = join(work, 'long');
  cpSync(model, long, { recursive: true });
  // Rotations have no table, so that the context can be changed by hand.
  rmSync(join(long, 'headwise-manifest.json'));
  const path = join(long, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  expect(config.maxLength).toBe(64);
  writeFileSync(path, JSON.stringify({ ...config, maxLength: 4096 }));
  const args = ['chat', '--model', long, '--max-new-tokens', '2000', '--seed', '5'];
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, HEADWISE_BACKEND: 'cpu' },
  });
  let [printed, errors] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text) => {
    if (printed === '') child.kill('SIGINT');
    printed += text;
  });
  const saved = join(work, 'stopped.json');
  child.stdin.end(`the sea\n/save ${saved}\n/exit\nnever\n`);
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect({ code, errors }).toEqual({
    code: 0,
    errors: `The answer was stopped.\n${saved}: 2 messages\n`,
  });
  const [, answer] = JSON.parse(readFileSync(saved, 'utf8'));
  expect(answer.content).not.toBe('');
  expect(printed).toBe(`${answer.content}\n`);
});

test('what cannot be used is refused by name', async () => {
  const bare = join(work, 'bare');
  cpSync(model, bare, { recursive: true });
  rmSync(join(bare, 'chat_template.jinja'));
  expect(await headwiseHere(['chat', '--model', bare])).toEqual({
    code: 2,
    stdout: '',
    stderr: `headwise: ${bare}: has no chat template; give one with --template FILE, or continue texts with headwise generate\n`,
  });
  const template = join(model, 'chat_template.jinja');
  const given = [
    '--template',
    template,
    '--seed',
    '5',
    '--max-new-tokens',
    '8',
    '--temperature',
    '0.8',
  ];
  const { stdout } = headwise(['chat', '--model', bare, ...given], 'the sea');
  expect(stdout).toBe(`${await continued('u:the sea;a:', 5)}\n`);

  expect(headwise(chat, 'zq'.repeat(60))).toMatchObject({
    code: 2,
    stdout: '',
    stderr:
      'headwise: the message takes 125 tokens; the context holds 64 and an answer needs at least one\n',
  });
});
