import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { headwise, headwiseHere, program, temporaryFolder } from './headwise.js';

const full = inject('full');
const work = temporaryFolder();
const config = join(work, 'config.json');
writeFileSync(
  config,
  JSON.stringify({
    model: { dim: 16, heads: 2, layers: 1, dropout: 0.1, position: 'rotary' },
    data: { task: 'reverse', length: 3 },
    training: { steps: 120, batchSize: 4, learningRate: 0.02, checkpointEvery: 5 },
  }),
);
const sweep = (folder: string, ...more: string[]) => [
  ...['sweep', '--config', config, '--out', folder, '--backend', 'cpu', ...more],
];

interface Trial {
  name: string;
  status: string;
  problem?: string;
  history: Record<string, unknown>[];
}

/** `sweep.json` without the times that were measured. */
function trialsOf(folder: string): Trial[] {
  const { trials } = JSON.parse(readFileSync(join(folder, 'sweep.json'), 'utf8')) as {
    trials: Trial[];
  };
  return trials.map((trial) => ({
    ...trial,
    history: trial.history.map(({ ms, ...rest }) => rest),
  }));
}

const fileOf = (folder: string, trial: string, name = 'model.safetensors') =>
  readFileSync(join(folder, 'trials', trial, name));

/** Kills the process that trains a trial when it has saved its first checkpoint; gives up when the sweep has ended. */
async function killTrial(folder: string, trial: string, sweep: ChildProcess): Promise<boolean> {
  const trainer = join(folder, 'trials', trial, 'trainer');
  while (sweep.exitCode === null && !existsSync(join(trainer, 'state.safetensors'))) {
    await setTimeout(2);
  }
  try {
    process.kill(Number(readFileSync(join(trainer, 'lock'), 'utf8')), 'SIGKILL');
    return true;
  } catch {
    return false; // it had ended
  }
}

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((done) => {
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
  return { child, ended };
}

test('a trial whose process is killed ends as headwise train does; one that fails is recorded, and the others go on', async () => {
  const folder = join(work, 'killed');
  const grid = ['--grid', 'training.learningRate=0.02,1e300', '--workers', '2'];
  const { child, ended } = start(sweep(folder, ...grid));
  const killed = await killTrial(folder, '000', child);
  const { code, stdout, stderr } = await ended;
  expect(killed).toBe(true);
  expect(stderr).toMatch(/^headwise: trial 000: lost \(SIGKILL\); going on from step \d+\n$/);
  expect(stdout).toMatch(/000 +0\.02 +120\/120 +[\d.]+ +[\d.]+\n/);
  expect(stdout).toMatch(/trial 001 failed: training diverged at step/);
  expect(code).toBe(1);
  const straight = join(work, 'straight');
  const alone = await headwiseHere(['train', '--config', config, '--out', straight]);
  expect(alone.code).toBe(0);
  for (const name of ['model.safetensors', 'trainer/state.safetensors']) {
    expect(fileOf(folder, '000', name)).toEqual(readFileSync(join(straight, name)));
  }
  const page = readFileSync(join(folder, 'report.html'), 'utf8');
  expect(page).toContain('<th scope="row">000</th>');
  expect(page).toContain('training diverged');
  const again = await headwiseHere(sweep(folder, ...grid));
  expect(again.stderr).toMatch(/holds a sweep already; give --resume/);
  const other = await headwiseHere(sweep(folder, '--grid', 'model.layers=1,2', '--resume'));
  expect(other.stderr).toMatch(
    /the sweep there has other trials \(2, --grid training\.learningRate/,
  );
});

test('what cannot be used is refused before the folder is made', async () => {
  const folder = join(work, 'none');
  for (const [args, message] of [
    [['--grid', 'model.layrs=1,2'], /unknown key 'model\.layrs'/],
    [['--grid', 'model.layers=1,2', '--workers', '0'], /--workers is 0; expected 1 or more/],
    [['--grid', 'model.layers=1,2', '--seed', '3'], /--seed is 3, and only a random search/],
    [['--grid', 'model.layers=1,2', '--set', 'model.layers=3'], /change the same value/],
    [['--grid', 'model.position=alibi,sinus'], /with model\.position=sinus: 'model\.position' is/],
    [['--grid', 'model.dim=16,1000000000'], /the trial with model\.dim=1000000000: /],
  ] as const) {
    const { code, stderr } = await headwiseHere(sweep(folder, ...args));
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  }
  expect(existsSync(folder)).toBe(false);
});

test('what cannot be submitted is refused before a cluster is asked', async () => {
  const nowhere = ['submit', '--ray', 'http://127.0.0.1:9'];
  const train = ['train', '--config', config, '--out', join(work, 'none')];
  for (const [args, message, expected] of [
    [[...nowhere, '--', 'chat'], /'chat' cannot be submitted; expected train, finetune, eval/, 2],
    [[...nowhere, '--', 'train', '--config', config], /required option '--out <dir>'/, 2],
    [[...nowhere, '--', ...train, '--set', 'model.layrs=2'], /unknown key 'model\.layrs'/, 2],
    [[...nowhere, '--', ...train, '--tensorboard', 'x'], /--tensorboard x is not brought back/, 2],
    [
      ['submit', '--ray', 'head:8265', '--', ...train],
      /expected the address of a Ray dashboard/,
      2,
    ],
    [[...nowhere, '--', ...train], /^headwise: http:\/\/127\.0\.0\.1:9: does not answer GET/, 1],
    [sweep(join(work, 'none'), '--grid', 'model.layers=1,2', '--cpus', '2'), /with --ray only/, 2],
  ] as const) {
    const { code, stderr } = await headwiseHere(args);
    expect(stderr).toMatch(message);
    expect(code).toBe(expected);
  }
  expect(existsSync(join(work, 'none'))).toBe(false);
});

test.runIf(full)(
  'a sweep that is killed goes on, and any number of workers comes to the same bits',
  async () => {
    const grid = ['--grid', 'model.layers=1,2', '--grid', 'training.seed=0,1,2,3'];
    const whole = join(work, 'whole');
    expect(headwise(sweep(whole, ...grid)).code).toBe(0);
    const broken = join(work, 'broken');
    for (const trial of ['001', '004', '006']) {
      const { child, ended } = start(sweep(broken, ...grid, '--workers', '3', '--resume'));
      const state = join(broken, 'trials', trial, 'trainer', 'state.safetensors');
      while (child.exitCode === null && !existsSync(state)) await setTimeout(2);
      child.kill('SIGKILL');
      await ended;
    }
    const last = headwise(sweep(broken, ...grid, '--workers', '3', '--resume'));
    expect(last).toMatchObject({ code: 0, stderr: '' });
    expect(trialsOf(broken)).toEqual(trialsOf(whole));
    for (const { name } of trialsOf(whole)) {
      for (const file of ['model.safetensors', 'trainer/state.safetensors']) {
        expect(fileOf(broken, name, file)).toEqual(fileOf(whole, name, file));
      }
    }
  },
  300_000,
);

test.runIf(full)('a sweep that is stopped saves what its trials have done', async () => {
  const folder = join(work, 'stopped');
  const grid = ['--grid', 'training.seed=0,1', '--set', 'training.steps=4000', '--workers', '2'];
  const { child, ended } = start(sweep(folder, ...grid));
  const state = join(folder, 'trials', '001', 'trainer', 'state.safetensors');
  while (child.exitCode === null && !existsSync(state)) await setTimeout(2);
  child.kill('SIGTERM');
  const { code, stderr } = await ended;
  expect(stderr).toBe('headwise: stopped with 2 trials to go; --resume goes on from there\n');
  expect(code).toBe(130);
  expect(trialsOf(folder).map(({ status }) => status)).toEqual(['open', 'open']);
});
