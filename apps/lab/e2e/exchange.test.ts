import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { packConfig } from '../src/model/permalink.js';
import { parseRunConfig } from '../src/model/run-config.js';
import { runFileOf } from '../src/model/run-file.js';
import { fork, Lab, rowOf, startFromLink, untilState } from './lab.js';

const work = mkdtempSync(join(tmpdir(), 'headwise-exchange-'));
const cli = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
/** Half of the run; the learning rate is the same in every step, however many there are. */
const half = parseRunConfig({
  data: { source: 'reverse', length: 3 },
  model: { dim: 16, layers: 1, heads: 2, dropout: 0.1 },
  training: {
    steps: 3,
    batchSize: 4,
    learningRate: 0.01,
    minLearningRate: 0.01,
    warmupSteps: 0,
    validateEvery: 3,
    sampleEvery: 3,
    checkpointEvery: 3,
  },
});

/** Trains on the command line, and gives what it says. */
function train(folder: string, config: string, ...more: string[]): string {
  const args = [cli, 'train', '--config', config, '--out', folder, ...more];
  const env = { ...process.env, HEADWISE_BACKEND: 'cpu' };
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

function lossesOf(folder: string): number[] {
  const lines = readFileSync(join(folder, 'trainer', 'history.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line)).flatMap(({ loss }) => loss ?? []);
}

describe.skipIf(!inject('chromium'))('a run with its checkpoint, on cpu', () => {
  const config = join(work, 'run.json');
  const whole = join(work, 'whole');
  let lab: Lab;
  let page: Page;
  let problems: string[];
  beforeAll(async () => {
    writeFileSync(config, JSON.stringify(runFileOf(half)));
    train(whole, config, '--set', 'training.steps=6');
    lab = await Lab.start();
    ({ page, problems } = await lab.visitor('cpu'));
  });
  afterAll(() => lab?.stop());

  const exported = async (name: string, what: string) => {
    const download = page.waitForEvent('download');
    await rowOf(page, name)
      .getByRole('button', { name: `Export ${name}` })
      .click();
    await page.getByRole('button', { name: what }).click();
    return readFileSync(await (await download).path());
  };

  test('from the lab resumes on the command line, with the losses of one run to the bit', async () => {
    await startFromLink(lab, page, 'first', packConfig(half));
    await untilState(page, 'first', 'done');
    const folder = join(work, 'from-lab');
    const files = unzipSync(await exported('first', 'The model and its training'));
    for (const [name, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), bytes);
    }
    const settings = join(folder, 'trainer', 'config.json');
    const said = train(folder, settings, '--resume', '--set', 'training.steps=6');
    expect(said).toContain('resumes at step 3 of 6');
    expect(lossesOf(folder)).toHaveLength(6);
    expect(lossesOf(folder)).toEqual(lossesOf(whole));
  });

  test('from the command line goes on in the lab, with the losses of one run to the bit', async () => {
    const folder = join(work, 'from-cli');
    train(folder, config);
    await page.getByText('From a file', { exact: true }).click();
    await page.getByLabel(/^Go on with a run’s folder/).setInputFiles(folder);
    await untilState(page, 'from-cli', 'paused');
    await fork(page, 'from-cli', 'second', 6);
    const { points, validations } = JSON.parse(
      String(await exported('second', 'Everything as JSON')),
    );
    expect(points.map(({ loss }: { loss: number }) => loss)).toEqual(lossesOf(whole));
    expect(validations.map(({ step }: { step: number }) => step)).toEqual([0, 3, 6]);
    expect(problems).toEqual([]);
  });
});
