import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { headwiseHere, temporaryFolder, writeConfig } from './headwise.js';
import { captionFolder, inspected, wordFolder } from './word-folder.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where Chromium is; empty where there is none. */
    chromium: string;
  }
}

const work = temporaryFolder();
const model = join(work, '<b>model');
const report = join(work, 'report.html');
const text = "the whale</script><script>document.title='taken'</script>";

const inspect = (...args: string[]) =>
  headwiseHere(['inspect', '--model', model, '--out', report, ...args]);

beforeAll(async () => {
  const config = writeConfig(work, ({ model, training }) => {
    Object.assign(model, { layers: 2, context: 64 });
    Object.assign(training, { batchSize: 2 });
  });
  expect((await headwiseHere(['train', '--config', config, '--out', model])).stderr).toBe('');
});

test('inspect writes one page, and scores of every head for machines', async () => {
  const run = await inspect('--text', text, '--json');
  expect(run.stderr).toBe('');
  expect(run.code).toBe(0);
  const { tokens, layers, scores } = JSON.parse(run.stdout);
  expect(layers).toBe(2);
  expect(scores.map(({ layer, head }: { layer: string; head: number }) => [layer, head])).toEqual([
    ['blocks.0.attn', 0],
    ['blocks.0.attn', 1],
    ['blocks.1.attn', 0],
    ['blocks.1.attn', 1],
  ]);
  const page = readFileSync(report, 'utf8');
  expect(page).not.toContain('<b>model');
  expect(page).not.toContain("document.title='taken'");
  expect(page.match(/<tbody>.*<\/tbody>/s)![0].match(/<tr>/g)).toHaveLength(tokens);
  expect(page).not.toMatch(/\b(?:src|href)=|url\(|@import/);
  const again = await inspect('--text', text);
  expect(again.stdout).toBe(`${report}: ${tokens} tokens, 2 layers\n`);
  expect(readFileSync(report, 'utf8')).toBe(page);
});

test('inspect refuses what it cannot show, and leaves the page as it was', async () => {
  writeFileSync(report, 'as it was');
  const refused = async (message: string, ...args: string[]) => {
    const { code, stderr, stdout } = await inspect(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(readFileSync(report, 'utf8')).toBe('as it was');
  };
  await refused("the text has 0 tokens; the model's context holds 1 to 64", '--text', '');
  await refused("tokens; the model's context holds 1 to 64", '--text', 'the whale '.repeat(40));
  await refused(
    `${join(work, 'no', 'page.html')}: cannot be written`,
    ...['--text', 'the', '--out', join(work, 'no', 'page.html')],
  );
});

describe.skipIf(!inject('chromium'))('in a browser', () => {
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    expect((await inspect('--text', text)).code).toBe(0);
    browser = await chromium.launch({
      executablePath: inject('chromium'),
      args: ['--no-sandbox', '--disable-quic'],
    });
    page = await browser.newPage();
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().endsWith('report.html')) problems.push(`request of ${request.url()}`);
    });
    await page.goto(pathToFileURL(report).href);
  });
  afterAll(async () => {
    await browser.close();
  });

  const lines = () => page.locator('#head-view .lines line').count();
  const chosen = () => page.locator('#chosen').textContent();

  test('the text is shown as it is, and takes nothing over', async () => {
    expect(await page.title()).toBe('Inside <b>model');
    expect(await page.locator('.text').textContent()).toBe(text);
  });

  test('pointing at a token shows where it attends; pressing keeps it', async () => {
    const all = await lines();
    const third = page.locator('[data-side="query"]').nth(3);
    await third.hover();
    const some = await lines();
    expect(some).toBeGreaterThan(0);
    expect(some).toBeLessThanOrEqual(4); // the first token sees itself only, the fourth four
    await third.click();
    await page.mouse.move(0, 0);
    expect(await lines()).toBe(some);
    await third.click();
    await page.mouse.move(0, 0);
    await third.blur();
    expect(await lines()).toBe(all);
  });

  test('a picture of the model view, by key, chooses its head; a button adds another', async () => {
    await page.locator('.head[data-layer="1"][data-head="1"]').focus();
    await page.keyboard.press('Enter');
    expect(await chosen()).toBe('Layer 1, head 1');
    expect(await page.locator('#layer').inputValue()).toBe('1');
    const before = await lines();
    await page.getByRole('button', { name: 'head 0', exact: true }).click();
    expect(await chosen()).toBe('Layer 1, head 0, 1');
    expect(await lines()).toBeGreaterThan(before);
  });

  test('a choice of score shows its grid', async () => {
    await page.getByRole('radio', { name: 'induction' }).check();
    expect(await page.locator('[data-score="induction"]').isVisible()).toBe(true);
    expect(await page.locator('[data-score="entropy"]').isVisible()).toBe(false);
  });

  test('of an encoder-decoder, a head of cross-attention shows the tokens of both texts', async () => {
    const file = join(work, 'pair.html');
    const texts = ['--text', 'w9 w40 w7 w5', '--target', 'w8 w6'];
    const run = await inspected(wordFolder(work, 't5', { bare: true }), file, ...texts);
    expect(run.stderr).toBe('');
    const pair = await browser.newPage();
    pair.on('pageerror', (error) => problems.push(String(error)));
    await pair.goto(pathToFileURL(file).href);
    const shown = pair.locator('#head-view > :not([hidden])');
    const sides = async () => [
      await shown.locator('[data-side="query"]').allTextContents(),
      await shown.locator('[data-side="key"]').count(),
    ];
    expect((await sides())[1]).toBe(4);
    await pair.locator('[data-group="2"] .head[data-layer="1"][data-head="3"]').click();
    expect(await pair.locator('#chosen').textContent()).toBe('Cross-attention, layer 1, head 3');
    expect(await sides()).toEqual([['0: "[PAD]"[PAD]', '1: "w8"w8'], 4]);
    await shown.locator('[data-side="query"]').nth(1).hover();
    const lines = shown.locator('.lines line');
    expect(await lines.count()).toBe(4); // the weights of a random model are about even
    const ends = await lines.evaluateAll((all) => all.map((line) => line.getAttribute('y2')));
    expect(new Set(ends).size).toBe(4);
    // Another group begins with all of its own rows.
    await pair.locator('#layer').selectOption({ label: '0: decoder.blocks.0.attn' });
    expect(await sides()).toEqual([['0: "[PAD]"[PAD]', '1: "w8"w8'], 2]);
    expect(await pair.locator('#head-view > :not([hidden])').count()).toBe(1);
    await pair.close();
  });

  test('of a caption, the picture is seen, and a choice shows where words look in a layer', async () => {
    const file = join(work, 'caption.html');
    const { folder, picture } = captionFolder(work);
    const run = await inspected(folder, file, '--picture', picture, '--target', 'w38 w22');
    expect(run.stderr).toBe('');
    const caption = await browser.newPage();
    caption.on('console', (message) => problems.push(message.text()));
    caption.on('pageerror', (error) => problems.push(String(error)));
    await caption.goto(pathToFileURL(file).href);
    const source = caption.locator('.picture');
    expect(await source.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(9);
    const shown = caption.locator('[data-look]:not([hidden])');
    expect(await shown.getAttribute('data-look')).toBe('all');
    await caption.getByRole('radio', { name: 'layer 1' }).check();
    expect(await shown.getAttribute('data-look')).toBe('1');
    expect(await shown.locator('.patches').count()).toBe(2);
    await caption.close();
  });

  test('it asked for nothing, complained of nothing, and runs no script but its own', async () => {
    expect(problems).toEqual([]);
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = "document.title = 'taken'";
      document.body.append(script);
    });
    expect(await page.title()).toBe('Inside <b>model');
    expect(problems.join()).toContain('Content Security Policy');
  });
});
