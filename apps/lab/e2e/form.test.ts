import { readFileSync } from 'node:fs';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { packConfig } from '../src/model/permalink.js';
import { parseRunConfig } from '../src/model/run-config.js';
import { Lab, rowOf, startFromLink, stepsOf, untilState, untilStep } from './lab.js';

const endless = packConfig(
  parseRunConfig({
    data: { source: 'copy', length: 3 },
    model: { dim: 16, layers: 1, heads: 2 },
    training: {
      steps: 100_000,
      batchSize: 4,
      validateEvery: 1000,
      sampleEvery: 1000,
      checkpointEvery: 5,
    },
  }),
);

describe.skipIf(!inject('chromium'))('what is shown is what runs', () => {
  let lab: Lab;
  let page: Page;
  let problems: string[];
  beforeAll(async () => {
    lab = await Lab.start();
    ({ page, problems } = await lab.visitor('wasm'));
  });
  afterAll(() => lab?.stop());

  const exported = async (name: string) => {
    const download = page.waitForEvent('download');
    await rowOf(page, name)
      .getByRole('button', { name: `Export ${name}` })
      .click();
    await page.getByRole('button', { name: 'Everything as JSON' }).click();
    return JSON.parse(readFileSync(await (await download).path(), 'utf8'));
  };

  test('a form with a number that cannot be run does not start, and a right one runs as it is', async () => {
    await page.goto(lab.url);
    await page.getByText('Model', { exact: true }).click();
    await page.getByText('Training', { exact: true }).click();
    const start = page.getByRole('button', { name: 'Start', exact: true });
    const field = (name: string) => page.getByLabel(name, { exact: true });
    const wrong: [string, string, string][] = [
      ['Layers', '48', 'At most 24.'],
      ['Layers', '2.5', 'Give a whole number.'],
      ['Seed', '-1', 'At least 0.'],
      ['Seed', '', 'Give a number.'],
      ['Steps', '1e', 'Give a number.'],
      ['Weight decay', '1,5', 'Give a number.'],
      ['Window', '-', 'Give a number.'],
    ];
    for (const [name, text, message] of wrong) {
      const before = await field(name).inputValue();
      await field(name).fill(text);
      await page.getByText(message, { exact: true }).waitFor();
      await page.getByText(`To start, correct: ${name}.`).waitFor();
      expect(await start.isDisabled(), `${name} ${text}`).toBe(true);
      expect(await field(name).inputValue()).toBe(text);
      await field(name).fill(before);
    }
    await field('Layers').fill('3');
    await field('Steps').fill('4');
    await field('Warm-up').fill('9');
    await field('Name').fill('shown');
    await start.click();
    await untilState(page, 'shown', 'done');
    const { run, points } = await exported('shown');
    expect([run.config.model.layers, run.config.training.steps]).toEqual([3, 4]);
    // Four steps of a warm-up of nine.
    const { learningRate } = run.config.training;
    for (const [i, point] of points.entries()) {
      expect(point.learningRate).toBeCloseTo((learningRate * (i + 1)) / 9, 12);
    }
  });

  test('edits of the form, and pauses, leave no bytes behind', async () => {
    await startFromLink(lab, page, 'parent', endless);
    await untilStep(page, 'parent', 5);
    const length = page.getByLabel('Task length', { exact: true });
    for (let edit = 0; edit < 10; edit++) {
      const counted = page.getByText('Parameters', { exact: true }).locator('..').locator('dd');
      await length.fill(String(4 + edit));
      await expect.poll(() => counted.first().textContent()).not.toBe('–');
    }
    const row = rowOf(page, 'parent');
    for (let round = 0; round < 2; round++) {
      await row.getByRole('button', { name: 'Pause' }).click();
      await untilState(page, 'parent', 'paused');
      await row.getByRole('button', { name: 'Resume' }).click();
      await untilState(page, 'parent', 'training');
      await untilStep(page, 'parent', (await stepsOf(page, 'parent')) + 2);
    }
    const { points } = await exported('parent');
    expect(new Set(points.map(({ memory }: { memory: number }) => memory)).size).toBe(1);
  });

  test('a fork of a run that trains begins at the step that it says', async () => {
    await rowOf(page, 'parent').getByRole('button', { name: 'Fork' }).click();
    const words = page.getByText(/Goes on from parent at step \d+/);
    const step = Number(/step (\d+)/.exec((await words.textContent())!)![1]);
    // Meanwhile the parent saves newer states, and removes older ones.
    await untilStep(page, 'parent', step + 12);
    const steps = page.getByLabel('Steps', { exact: true });
    const start = page.getByRole('button', { name: 'Start the fork' });
    await steps.fill(String(step));
    await page.getByText(`More than ${step}, which are made already.`).waitFor();
    expect(await start.isDisabled()).toBe(true);
    await steps.fill(String(step + 3));
    await page.getByLabel('Name', { exact: true }).fill('child');
    await start.click();
    await untilState(page, 'child', 'done');
    await rowOf(page, 'parent').getByRole('button', { name: 'Pause' }).click();
    await untilState(page, 'parent', 'paused');
    const [parent, child] = [await exported('parent'), await exported('child')];
    expect(child.run.forkOf).toEqual({ id: parent.run.id, step });
    expect(child.points.map((point: { step: number }) => point.step)).toEqual(
      Array.from({ length: step + 3 }, (_, i) => i),
    );
    const losses = (points: { loss: number }[]) => points.slice(0, step).map(({ loss }) => loss);
    expect(losses(child.points)).toEqual(losses(parent.points));
    expect(child.points[step].seconds).toBeGreaterThan(child.points[step - 1].seconds);
  });

  test('a run that a reload interrupts says at which step, and from which it goes on', async () => {
    const row = rowOf(page, 'parent');
    await row.getByRole('button', { name: 'Resume' }).click();
    await untilStep(page, 'parent', (await stepsOf(page, 'parent')) + 6);
    await page.reload();
    await untilState(page, 'parent', 'paused');
    const { run, points } = await exported('parent');
    expect(run.step).toBe(run.checkpoint);
    expect(points.length).toBe(run.checkpoint);
    expect(await stepsOf(page, 'parent')).toBe(run.checkpoint);
    if (run.note !== undefined) {
      expect(run.note).toContain(`Its last saved state is of step ${run.checkpoint}`);
      await page.getByText(`parent: ${run.note}`).waitFor();
    }
    await row.getByRole('button', { name: 'Resume' }).click();
    await untilStep(page, 'parent', run.checkpoint + 1);
    await row.getByRole('button', { name: 'Pause' }).click();
  });

  test('a text that is too short makes one message and no run', async () => {
    await page.getByLabel('Learn from', { exact: true }).selectOption('file');
    await page.getByLabel(/^Drop a text file/).setInputFiles({
      name: 'two.txt',
      mimeType: 'text/plain',
      buffer: Buffer.from('ab'),
    });
    await page.getByText('Training on two.txt').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('short');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText('Take a longer text').waitFor();
    expect(await page.getByRole('alert').count()).toBe(1);
    expect(await rowOf(page, 'short').count()).toBe(0);
    expect(problems).toEqual([]);
  });
});
