import axe from 'axe-core';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { packConfig } from '../src/model/permalink.js';
import { parseRunConfig } from '../src/model/run-config.js';
import { pages } from '../src/route-names.js';
import { Lab, rowOf, startFromLink, stepsOf, untilState, untilStep } from './lab.js';

const tiny = (training: object = {}) =>
  packConfig(
    parseRunConfig({
      data: { source: 'copy', length: 3 },
      model: { dim: 16, layers: 1, heads: 2 },
      training: { steps: 30, batchSize: 4, validateEvery: 10, sampleEvery: 10, ...training },
    }),
  );

/** A scheme of colours and a width of the window, in pixels. */
const looks = [
  ['light', 1280],
  ['dark', 1280],
  ['dark', 360],
  ['light', 360],
] as const;

describe.skipIf(!inject('chromium'))('a visit', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterAll(() => lab?.stop());

  const seriousProblems = (page: Page) =>
    page.evaluate(async () => {
      // What is scrolled below the bar at the top is not what can be chosen then.
      window.scrollTo(0, 0);
      const { axe } = window as unknown as { axe: typeof import('axe-core') };
      const { violations } = await axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
      });
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`),
      );
    });

  const settled: Record<(typeof pages)[number], (page: Page) => Promise<void>> = {
    experiments: (page) => untilStep(page, 'Reverse letters', 5),
    attention: (page) => page.getByRole('button', { name: /^Show layer 3, head 3/ }).waitFor(),
    playground: (page) => page.getByRole('button', { name: /^Put/ }).first().waitFor(),
    tokens: (page) => page.locator('.spans .token').first().waitFor(),
    device: (page) => page.getByRole('button', { name: 'Run the receipt' }).waitFor(),
  };

  test('something is alive at one click, and no page is hard to use, light or dark, wide or narrow', async () => {
    const { page, problems } = await lab.visitor('wasm', { bypassCSP: true });
    await page.addInitScript(axe.source);
    await page.goto(lab.url);
    // Colours in transition between the schemes are not checked.
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.getByRole('button', { name: 'Start a tiny run' }).click();
    for (const name of pages) {
      await page.goto(`${lab.url}#/${name}`);
      await settled[name](page);
      for (const [colorScheme, width] of looks) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        const where = `${name}, ${colorScheme}, ${width}`;
        expect(await seriousProblems(page), where).toEqual([]);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow, where).toBeLessThanOrEqual(0);
      }
    }
    await page.getByRole('link', { name: 'Attention' }).click();
    await page.emulateMedia({ colorScheme: 'dark' });
    for (const view of ['One head', 'Query–key dimensions', 'Logit lens']) {
      await page.getByRole('radio', { name: view }).click();
      await page.locator('.head-view, .neurons, .lens').waitFor();
      expect(await seriousProblems(page), view).toEqual([]);
    }
    expect(problems).toEqual([]);
  });

  test('a text without text, a binary file and a link that was changed are refused', async () => {
    const { page, problems } = await lab.visitor('wasm');
    await page.goto(lab.url);
    await page.getByLabel('Learn from').selectOption('file');
    const drop = page.getByLabel(/^Drop a text file/);
    const offer = (name: string, buffer: Buffer) =>
      drop.setInputFiles({ name, mimeType: 'text/plain', buffer });
    await offer('empty.txt', Buffer.alloc(0));
    await page.getByText('empty.txt is empty: it has 0 bytes').waitFor();
    await offer('picture.txt', Buffer.from(Array.from({ length: 4000 }, (_, i) => i % 256)));
    await page.getByText('picture.txt: is not UTF-8 from byte 128 on').waitFor();
    await offer('zeros.txt', Buffer.alloc(4000));
    await page.getByText('zeros.txt looks like a binary file').waitFor();
    await page.goto(`${lab.url}#/experiments?c=${tiny().slice(0, 40)}`);
    await page.getByText('The link holds no configuration').waitFor();
    const hostile = packConfig({ model: '<img src=x onerror="window.hacked=1">' } as never);
    await page.goto(`${lab.url}#/experiments?c=${hostile}`);
    await page.getByText("The link: 'model' is").waitFor();
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
    expect(await page.locator('main img').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test('a run that another tab trains is left to it', async () => {
    const { context, page } = await lab.visitor('wasm');
    // Only the pause saves it: where a state of the last step is saved, nothing was interrupted.
    await startFromLink(lab, page, 'shared', tiny({ steps: 100_000, checkpointEvery: 100_000 }));
    await untilStep(page, 'shared', 12);
    const other = await context.newPage();
    await other.goto(lab.url);
    await untilState(other, 'shared', 'training');
    // It is not this tab's: nothing is offered that only its own tab can do, and it is seen to go on.
    const row = rowOf(other, 'shared');
    await row.getByText('in another tab').waitFor();
    expect(await row.getByRole('button', { name: /^(Pause|Stop|Resume|Remove)/ }).count()).toBe(0);
    const before = await stepsOf(other, 'shared');
    await untilStep(other, 'shared', before + 3);
    await rowOf(page, 'shared').getByRole('button', { name: 'Pause' }).click();
    await row.getByRole('button', { name: 'Resume' }).click();
    await untilStep(other, 'shared', (await stepsOf(page, 'shared')) + 3);
    await rowOf(page, 'shared').getByText('in another tab').waitFor();
    // A report is written before the next is told.
    await untilStep(other, 'shared', (await stepsOf(other, 'shared')) + 1);
    // A tab that is closed says nothing, and its run is free all the same.
    await other.close();
    await rowOf(page, 'shared').getByRole('button', { name: 'Resume' }).waitFor();
    await page.getByText(/shared: It was interrupted at step \d+/).waitFor();
  });

  test('storage that is full pauses the run, and what was saved stays', async () => {
    const { context, page } = await lab.visitor('wasm');
    await startFromLink(lab, page, 'full', tiny({ steps: 100_000, checkpointEvery: 20 }));
    await untilStep(page, 'full', 25);
    const cdp = await context.newCDPSession(page);
    const { origin } = new URL(lab.url);
    await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
    await page.getByText('The browser has no more room for saved states').waitFor();
    await page.getByText(/Everything up to step \d+ is saved/).waitFor();
    await cdp.send('Storage.overrideQuotaForOrigin', { origin });
    await rowOf(page, 'full').getByRole('button', { name: 'Resume' }).click();
    await untilState(page, 'full', 'training');
    expect(await stepsOf(page, 'full')).toBeGreaterThanOrEqual(20);
  });
});
