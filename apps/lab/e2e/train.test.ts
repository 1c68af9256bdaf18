import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { packConfig } from '../src/model/permalink.js';
import { parseRunConfig } from '../src/model/run-config.js';
import { fork, Lab, rowOf, startFromLink, stepsOf, untilState, untilStep } from './lab.js';

const config = parseRunConfig({
  data: { source: 'reverse', length: 3 },
  model: { dim: 16, layers: 1, heads: 2 },
  training: {
    steps: 100,
    batchSize: 8,
    learningRate: 0.02,
    minLearningRate: 0.002,
    warmupSteps: 5,
    validateEvery: 10,
    sampleEvery: 50,
    checkpointEvery: 5,
  },
});

describe.skipIf(!inject('chromium'))('training on WebGPU', () => {
  let lab: Lab;
  let page: Page;
  let problems: string[];
  beforeAll(async () => {
    lab = await Lab.start();
    ({ page, problems } = await lab.visitor('webgpu'));
  });
  afterAll(() => lab?.stop());

  test('a tiny model starts, is paused and resumed, and no frame draws more than one chart', async () => {
    await startFromLink(lab, page, 'first', packConfig(config));
    await untilStep(page, 'first', 3);
    await page.evaluate(() => {
      const seen = { draws: 0, inFrame: 0, most: 0 };
      Object.assign(window, { seen });
      new MutationObserver((changes) => {
        seen.draws += changes.length;
        seen.inFrame += changes.length;
      }).observe(document.body, { subtree: true, attributeFilter: ['data-draws'] });
      const frame = () => {
        seen.most = Math.max(seen.most, seen.inFrame);
        seen.inFrame = 0;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
    await untilStep(page, 'first', 15);
    const { draws, most } = await page.evaluate(
      () => (window as unknown as { seen: { draws: number; most: number } }).seen,
    );
    expect(draws).toBeGreaterThan(0);
    // Five charts are drawn one a frame; this counts from one callback of a frame to the next, which may see two.
    expect(most).toBeLessThanOrEqual(2);
    const row = rowOf(page, 'first');
    await row.getByRole('button', { name: 'Pause' }).click();
    await untilState(page, 'first', 'paused');
    const paused = await stepsOf(page, 'first');
    await page.waitForTimeout(500);
    expect(await stepsOf(page, 'first')).toBe(paused);
    await row.getByRole('button', { name: 'Resume' }).click();
    await untilStep(page, 'first', paused + 2);
  });

  test('a page that is loaded again in mid-training resumes from the saved state', async () => {
    await untilStep(page, 'first', 20);
    const before = await stepsOf(page, 'first');
    await page.reload();
    await untilState(page, 'first', 'paused');
    const kept = await stepsOf(page, 'first');
    await rowOf(page, 'first').getByRole('button', { name: 'Resume' }).click();
    await untilState(page, 'first', 'training');
    // No further back than to the last saved state, and a second of reports that were not written.
    expect(await stepsOf(page, 'first')).toBeGreaterThanOrEqual(Math.min(before, kept) - 10);
    expect(await stepsOf(page, 'first')).toBeGreaterThan(0);
    await untilStep(page, 'first', kept + 1);
  });

  test('a device that is lost is told of, and the run goes on by itself', async () => {
    await page.getByRole('link', { name: 'Device' }).click();
    await page.getByRole('button', { name: 'Lose the device' }).click();
    await page.getByText('The GPU device was lost and is back').waitFor();
    await page.getByRole('link', { name: 'Experiments' }).click();
    await untilState(page, 'first', 'done');
    expect(await stepsOf(page, 'first')).toBe(config.training.steps);
  });

  test('the loss has fallen, the answers are right, and every step is in the history once', async () => {
    const download = page.waitForEvent('download');
    await rowOf(page, 'first').getByRole('button', { name: 'Export first' }).click();
    await page.getByRole('button', { name: 'Everything as JSON' }).click();
    const path = await (await download).path();
    const { points, validations, samples } = JSON.parse(readFileSync(path, 'utf8'));
    expect(points.map(({ step }: { step: number }) => step)).toEqual(
      Array.from({ length: config.training.steps }, (_, i) => i),
    );
    expect(validations[0].step).toBe(0);
    expect(validations.at(-1).loss).toBeLessThan(validations[0].loss / 3);
    const last = samples.filter(({ step }: { step: number }) => step === config.training.steps);
    expect(last.map(({ text }: { text: string }) => text)).toEqual(
      last.map(({ expected }: { expected: string }) => expected),
    );
  });

  test('the model folder is one that headwise generate loads', async () => {
    const download = page.waitForEvent('download');
    await rowOf(page, 'first').getByRole('button', { name: 'Export first' }).click();
    await page.getByRole('button', { name: 'The model and its training' }).click();
    const files = unzipSync(readFileSync(await (await download).path()));
    expect(Object.keys(files).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'trainer/config.json',
      'trainer/history.jsonl',
      'trainer/state.safetensors',
    ]);
    const folder = mkdtempSync(join(tmpdir(), 'headwise-lab-'));
    mkdirSync(join(folder, 'trainer'));
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    const cli = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
    const args = ['generate', '--model', folder, '--prompt', 'cab|', '--temperature', '0'];
    const { stdout } = spawnSync(process.execPath, [cli, ...args, '--max-new-tokens', '3'], {
      encoding: 'utf8',
      env: { ...process.env, HEADWISE_BACKEND: 'cpu' },
    });
    expect(stdout.trim()).toBe('cab|bac');
  });

  test('a fork goes on from its parent, and the table says in what they differ', async () => {
    await fork(page, 'first', 'second', 105);
    expect(await stepsOf(page, 'second')).toBe(105);
    await page.getByRole('columnheader', { name: 'Steps' }).waitFor();
    const loss = page.getByRole('img', { name: /^Loss\. / });
    expect(await loss.getAttribute('aria-label')).toContain('second: first');
    expect(await loss.getAttribute('aria-label')).toContain('first: first');
    expect(problems).toEqual([]);
  });
});
