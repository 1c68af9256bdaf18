import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { Lab } from './lab.js';

const prompt = 'Call me\n\n🐋 Ishmael, ';

describe.skipIf(!inject('chromium'))('pages keep their state', () => {
  let lab: Lab;
  let page: Page;
  let problems: string[];
  beforeAll(async () => {
    lab = await Lab.start();
    ({ page, problems } = await lab.visitor('wasm'));
  });
  afterAll(() => lab?.stop());

  const link = (name: string) => page.getByRole('link', { name, exact: true });
  const written = (of: Page) => of.locator('.written');

  test('a text is shown as it is, and its parts of characters as bytes', async () => {
    await page.goto(`${lab.url}#/playground`);
    await page.getByLabel('Prompt').fill(prompt);
    await expect.poll(() => written(page).textContent()).toBe(prompt);
    const parts = await page
      .locator('.written .token[data-bytes]')
      .evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.bytes));
    expect(parts).toEqual(['F0', '9F', '90']);
    // A line's end breaks the line.
    const [first, last] = await Promise.all(
      [0, -1].map((at) => page.locator('.written .token').nth(at).boundingBox()),
    );
    expect(last!.y).toBeGreaterThan(first!.y + first!.height);
  });

  test('what was set and written is there after a change of page, a reload, and in the address', async () => {
    await page.getByLabel('Tokens', { exact: true }).fill('5');
    await page.getByLabel('Seed').fill('7');
    await page.getByRole('button', { name: 'Generate', exact: true }).click();
    await expect
      .poll(() => page.locator('.written .token').count())
      .toBeGreaterThan(prompt.length - 10);
    await page.getByRole('button', { name: 'Stop' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^Put/ }).first().waitFor();
    const text = (await written(page).textContent())!;
    expect(text.startsWith(prompt) && text.length > prompt.length).toBe(true);
    const same = async (of: Page, whole: boolean) => {
      await expect
        .poll(() => written(of).textContent(), { timeout: 30_000 })
        .toBe(whole ? text : prompt);
      expect(await of.getByLabel('Prompt').inputValue()).toBe(prompt);
      expect(await of.getByLabel('Seed').inputValue()).toBe('7');
    };
    await link('Tokens').click();
    await page.getByLabel('Text', { exact: true }).fill('one\ntwo');
    await link('Playground').click();
    await same(page, true);
    await page.reload();
    await same(page, true);
    const other = await page.context().browser()!.newPage();
    await other.goto(page.url());
    await same(other, false);
    await other.close();
    await link('Tokens').click();
    expect(await page.getByLabel('Text', { exact: true }).inputValue()).toBe('one\ntwo');
    await expect.poll(() => page.locator('.spans').first().textContent()).toBe('one\ntwo');
  });

  test('a draft and an invalid number are kept as they are', async () => {
    await link('Experiments').click();
    await page.getByText('Training', { exact: true }).click();
    await page.getByLabel('Batch', { exact: true }).fill('12');
    await page.getByLabel('Seed', { exact: true }).fill('');
    await page.getByLabel('Name', { exact: true }).fill('my draft');
    const kept = async () => {
      expect(await page.getByLabel('Batch', { exact: true }).inputValue()).toBe('12');
      expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('my draft');
      await page.getByText('To start, correct: Seed.').waitFor();
    };
    await link('Device').click();
    await link('Experiments').click();
    await kept();
    await page.reload();
    await page.getByText('To start, correct: Seed.').waitFor();
    await kept();
  });

  test('two models are compared in every view, and a long text is said to be cut', async () => {
    await link('Attention').click();
    await page.getByRole('switch', { name: 'Compare with another model' }).click();
    const other = page.getByRole('region', { name: 'Other model', exact: true });
    const shown: [string, string][] = [
      ['All heads', '.heads'],
      ['One head', '.head-view'],
      ['Query–key dimensions', '.neurons'],
      ['Attention rollout', '.flow-map'],
      ['Logit lens', '.lens'],
      ['Large map', '.big-map[data-whole="true"]'],
    ];
    for (const [name, inside] of shown) {
      await page.getByRole('radio', { name }).click();
      await page.getByText('Compared: Moby-Dick, small').waitFor();
      await other.locator(inside).waitFor();
      expect(await page.locator(inside).count(), name).toBe(2);
    }
    await page.getByLabel('Text', { exact: true }).fill('The whale. '.repeat(60));
    await page.getByText(/The text has \d+ tokens\. The model reads 128 at once/).waitFor();
    await page.getByRole('radio', { name: 'Logit lens' }).click();
    await page.reload();
    expect(await page.getByRole('radio', { name: 'Logit lens' }).getAttribute('aria-checked')).toBe(
      'true',
    );
    await other.locator('.lens').waitFor();
    expect(problems).toEqual([]);
  });

  test('a model of the hub is asked for by its name, and one that is refused leaves the maps', async () => {
    const asked: string[] = [];
    await page.context().route('https://huggingface.co/**', (route) => {
      asked.push(route.request().url());
      return route.fulfill({ status: 404, headers: { 'access-control-allow-origin': '*' } });
    });
    const model = page.getByLabel('Model', { exact: true });
    const load = async (text: string) => {
      await model.selectOption('bring');
      await page.getByLabel('Or its address').fill(text);
      await page.getByRole('button', { name: 'Load' }).click();
      await page.getByRole('alert').waitFor();
    };
    await load('gpt2');
    expect(asked.every((url) => url.startsWith('https://huggingface.co/gpt2/resolve/main/'))).toBe(
      true,
    );
    expect(asked.length).toBeGreaterThan(0);
    await load('https://huggingface.co/owner/name');
    expect(asked.at(-1)).toContain('https://huggingface.co/owner/name/resolve/main/');
    await load('no model');
    await page.getByText("'no model' is not an address").waitFor();
    expect(await page.locator('.lens').count()).toBe(2);
    expect(page.url()).not.toContain('owner');
  });
});
