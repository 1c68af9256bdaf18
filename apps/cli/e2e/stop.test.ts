import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  headwise,
  headwiseHere,
  lossesOf,
  program,
  repository,
  temporaryFolder,
  writeConfig,
} from './headwise.js';

const environment = { ...process.env, HEADWISE_BACKEND: 'cpu' };

test('Ctrl-C saves the step that it interrupts, and --resume goes on from there', async () => {
  const work = temporaryFolder();
  const config = writeConfig(work, ({ training }) =>
    Object.assign(training, { steps: 60, checkpointEvery: 60 }),
  );
  const train = (folder: string) => ['train', '--config', config, '--out', folder, '--resume'];
  const stopped = join(work, 'stopped');
  const child = spawn(process.execPath, [program, ...train(stopped), '--json'], {
    env: environment,
  });
  let [printed, errors, sent] = ['', '', false];
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text;
    // Twice at once, as when npm passes on what the terminal has sent already.
    if (!sent && printed.includes('"step":5,')) {
      sent = child.kill('SIGINT');
      child.kill('SIGINT');
    }
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  const [, step] = /stopped at step (\d+); --resume goes on from there/.exec(errors) ?? [];
  expect({ code, known: step !== undefined }).toEqual({ code: 130, known: true });
  expect(Number(step)).toBeLessThan(60);
  expect(lossesOf(stopped)).toHaveLength(Number(step));
  expect(existsSync(join(stopped, 'trainer', 'lock'))).toBe(false);

  expect(headwise(train(stopped)).stdout).toContain(`resumes at step ${step} of 60`);
  const straight = join(work, 'straight');
  expect((await headwiseHere(train(straight))).code).toBe(0);
  const expected = lossesOf(straight);
  for (const [at, loss] of lossesOf(stopped).entries()) expect(loss).toBeCloseTo(expected[at]!, 5);
});

test.skipIf(process.platform === 'win32')('a terminal that is closed saves too', async () => {
  const work = temporaryFolder();
  const config = writeConfig(work, ({ training }) =>
    Object.assign(training, { steps: 1000, checkpointEvery: 1000 }),
  );
  const out = join(work, 'run');
  const args = [program, 'train', '--config', config, '--out', out, '--json'];
  const child = spawn(process.execPath, args, { env: environment });
  let closed = false;
  child.stdout.setEncoding('utf8').on('data', (text) => {
    // A second signal would end it at once.
    if (!closed && text.includes('"event":"step"')) closed = child.kill('SIGHUP');
  });
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130);
  expect(lossesOf(out).length).toBeGreaterThan(0);
  expect(existsSync(join(out, 'model.safetensors'))).toBe(true);
});

test('a reader that has enough ends the command quietly', () => {
  const work = temporaryFolder();
  const line = `"${process.execPath}" "${program}" --help | head -n 1`;
  const { stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8', cwd: work });
  expect(stdout).toMatch(/^Usage: headwise/);
  expect(stderr).toBe('');
});

test('pnpm headwise --json prints JSON alone', () => {
  const { stdout } = spawnSync('pnpm', ['headwise', 'info', '--json'], {
    encoding: 'utf8',
    env: environment,
    cwd: repository,
  });
  expect(JSON.parse(stdout)).toMatchObject({ backend: 'cpu' });
});

test('a corpus may be a package that exports its text', () => {
  const work = temporaryFolder();
  const folder = join(work, 'node_modules', 'a-book');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"name": "a-book", "main": "index.cjs"}');
  const chapters = "[{ title: 'Loomings', text: 'Call me Ishmael. '.repeat(200) }]";
  writeFileSync(join(folder, 'index.cjs'), `module.exports = () => ${chapters};`);
  const config = writeConfig(work, ({ data }) => Object.assign(data, { corpus: 'npm:a-book' }));
  const args = [program, 'train', '--config', config, '--out', join(work, 'out')];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', env: environment, cwd: work });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
});

/** Starts training a model that computes for long at a time, and sends signals once it does. */
async function interrupt(send: (kill: () => void) => Promise<void>) {
  const work = temporaryFolder();
  const config = writeConfig(work, ({ model, training }) => {
    Object.assign(model, { dim: 256, layers: 4, context: 64 });
    Object.assign(training, { batchSize: 64 });
  });
  const args = [program, 'train', '--config', config, '--out', join(work, 'run'), '--json'];
  const child = spawn(process.execPath, args, { env: environment });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text;
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  while (!printed.includes('"event":"backend"')) await sleep(50);
  await sleep(3000);
  await send(() => void child.kill('SIGINT'));
  return { ...(await ended), printed };
}

test.skipIf(process.platform === 'win32')(
  'a second Ctrl-C ends a run during a computation',
  async () => {
    const { code, signal, printed } = await interrupt(async (kill) => {
      kill();
      await sleep(500);
      kill();
    });
    expect(code).toBe(null);
    expect(signal).toMatch(/^SIG(KILL|INT)$/);
    expect(printed).not.toContain('"event":"step"');
  },
);
