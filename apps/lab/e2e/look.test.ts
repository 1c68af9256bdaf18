import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { saveModel } from '@headwise/models/node';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { Lab } from './lab.js';

const bundled = fileURLToPath(new URL('../public/models/moby-dick', import.meta.url));

/** Tokens of the large map, whose square a software adapter computes for seconds in each of a dozen plain operations. */
const longest = inject('full') ? 4096 : 2048;

/** The folder of a model that reads as many tokens, with random weights. */
async function longModel(): Promise<string> {
  const folder = folderWith(undefined, 'long');
  const { vocab_size } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  await start({ prefer: 'cpu' });
  const sizes = { n_embd: 8, n_head: 1, n_layer: 1, n_positions: longest };
  const model = createModel({ model_type: 'gpt2', vocab_size, ...sizes }, { seed: 1 });
  await saveModel(folder, model);
  model.params.dispose();
  return folder;
}

/** A model folder of its own, to drop or to break. */
function folderWith(change: (folder: string) => void = () => {}, name = 'my-model'): string {
  const folder = join(mkdtempSync(join(tmpdir(), 'headwise-lab-')), name);
  cpSync(bundled, folder, { recursive: true });
  change(folder);
  return folder;
}

describe.skipIf(!inject('chromium'))('looking inside and writing', () => {
  let lab: Lab;
  let page: Page;
  let problems: string[];
  beforeAll(async () => {
    lab = await Lab.start();
    ({ page, problems } = await lab.visitor('webgpu'));
  });
  afterAll(() => lab?.stop());

  const lossShown = () =>
    page.getByRole('region', { name: 'Effect' }).locator('dd').first().textContent();
  const nextShown = () =>
    page.getByRole('region', { name: 'Effect' }).getByRole('list').first().textContent();

  test('every head of the bundled model is shown, and a token says where it looks', async () => {
    await page.goto(`${lab.url}#/attention`);
    const heads = page.getByRole('button', { name: /^Show layer/ });
    await heads.nth(15).waitFor();
    expect(await heads.count()).toBe(16);
    await page.getByRole('button', { name: 'Show layer 3, head 2' }).click();
    await page.locator('.head-token', { hasText: '·whale' }).first().hover();
    await page.getByText(/·whale attends to .+ \(\d+\.\d %\)/).waitFor();
  });

  test('a head that is taken out changes the loss and what comes next, and comes back', async () => {
    await page.getByRole('radio', { name: 'All heads' }).click();
    const [loss, next] = [await lossShown(), await nextShown()];
    await page.getByRole('button', { name: 'Ablate layer 0, head 0' }).click();
    await page.getByText('Loss with heads ablated').waitFor();
    const without = page.getByRole('region', { name: 'Effect' }).locator('dd').nth(1);
    expect(Number.parseFloat((await without.textContent())!)).not.toBe(Number.parseFloat(loss!));
    expect(await nextShown()).not.toBe(next);
    await page.getByRole('button', { name: 'Restore Layer 0, head 0' }).click();
    await page.getByText('Loss with heads ablated').waitFor({ state: 'detached' });
    expect(await lossShown()).toBe(loss);
  });

  test('the other views show the same text: neurons, flow and layers', async () => {
    await page.getByRole('radio', { name: 'Query–key dimensions' }).click();
    const rows = page.getByRole('region', { name: 'Query and keys' }).getByRole('row');
    await rows.nth(5).waitFor();
    const weights = await rows.locator('td:last-child').allTextContents();
    const sum = weights.reduce((total, text) => total + (Number.parseFloat(text) || 0), 0);
    expect(sum).toBeGreaterThan(97);
    expect(sum).toBeLessThan(103);
    await page.getByRole('radio', { name: 'Attention rollout' }).click();
    await page.getByRole('img', { name: 'Attention rollout of Moby-Dick, small' }).waitFor();
    await page.getByRole('radio', { name: 'Logit lens' }).click();
    const layers = page
      .getByRole('region', { name: 'Most likely next token by layer' })
      .getByRole('row');
    await layers.nth(5).waitFor();
    // The last layer says what the model says.
    const last = await layers.last().getByRole('cell').last().textContent();
    expect((await nextShown())!.startsWith(last!)).toBe(true);
  });

  const bring = async (folder: string) => {
    await page.getByLabel('Model', { exact: true }).selectOption('bring');
    await page.getByLabel(/^Drop a Hugging Face folder/).setInputFiles(folder);
  };

  test('a dropped folder is a model to look into, and the same as the bundled one', async () => {
    const loss = await lossShown();
    await bring(folderWith());
    await expect
      .poll(
        () => page.getByLabel('Model', { exact: true }).locator('option:checked').textContent(),
        {
          timeout: 60_000,
        },
      )
      .toBe('Folder: my-model');
    await expect.poll(lossShown, { timeout: 60_000 }).toBe(loss);
  });

  test('broken folders are refused, naming the file and what is wrong', async () => {
    const refused = async (folder: string, message: RegExp) => {
      await bring(folder);
      await page.getByRole('alert').filter({ hasText: message }).waitFor();
    };
    await refused(
      folderWith((folder) => rmSync(join(folder, 'config.json'))),
      /config\.json/,
    );
    await refused(
      folderWith((folder) => {
        const path = join(folder, 'model.safetensors');
        writeFileSync(path, readFileSync(path).subarray(0, 5000));
      }),
      /model\.safetensors/,
    );
    await refused(
      folderWith((folder) => writeFileSync(join(folder, 'tokenizer.json'), '{"model":{}}')),
      /tokenizer\.json/,
    );
    await page.getByLabel('Model', { exact: true }).selectOption('bundled');
  });

  test('a completion streams, can be stopped, and is the same again with the same seed', async () => {
    await page.goto(`${lab.url}#/playground`);
    const text = page.locator('.written');
    const write = page.getByRole('button', { name: 'Generate', exact: true });
    await page.getByLabel('Tokens', { exact: true }).fill('12');
    const written = async () => {
      await write.click();
      await page.getByRole('button', { name: 'Stop' }).waitFor({ state: 'detached' });
      return text.textContent();
    };
    await page.getByRole('button', { name: /^Put/ }).first().waitFor();
    const first = await written();
    expect(first!.length).toBeGreaterThan('The whale'.length + 10);
    expect(await written()).toBe(first);
    await page.getByLabel('Seed').fill('2');
    expect(await written()).not.toBe(first);
    await page.getByLabel('Tokens', { exact: true }).fill('2000');
    await write.click();
    const tokens = page.locator('.written .token');
    await expect.poll(() => tokens.count(), { timeout: 60_000 }).toBeGreaterThan(20);
    await page.getByRole('button', { name: 'Stop' }).click();
    await write.waitFor();
    expect(await tokens.count()).toBeLessThan(1000);
  });

  test('a token is exchanged for an alternative, and the model goes on from there', async () => {
    const tokens = page.locator('.written .token');
    await tokens.nth(6).click();
    await expect.poll(() => tokens.count(), { timeout: 60_000 }).toBe(6);
    const alternative = page.getByRole('button', { name: /^Put/ }).nth(2);
    const chosen = await alternative.textContent();
    await alternative.click();
    await expect.poll(() => tokens.count(), { timeout: 60_000 }).toBe(7);
    expect((await tokens.nth(6).textContent())!.replaceAll(' ', '·')).toBe(chosen);
    await page.getByLabel('Tokens', { exact: true }).fill('3');
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect.poll(() => tokens.count(), { timeout: 60_000 }).toBe(10);
  });

  test('the worked example keeps what it should', async () => {
    const example = page.getByRole('region', { name: 'Worked example' });
    const says = (words: string) => example.getByText(words, { exact: true }).waitFor();
    await example.getByRole('button', { name: 'Top-k 3' }).click();
    await says('Of the four, cake, donut, banana can be sampled.');
    await example.getByRole('button', { name: 'Top-p .30' }).click();
    await says('Of the four, cake, donut can be sampled.');
    await example.getByRole('button', { name: 'Temperature 2' }).click();
    await says('All four words can be sampled.');
  });

  test(`a map of ${longest} tokens is drawn from few tiles, and follows the hand`, async () => {
    await page.goto(`${lab.url}#/attention`);
    await bring(await longModel());
    await expect
      .poll(
        () => page.getByLabel('Model', { exact: true }).locator('option:checked').textContent(),
        { timeout: 60_000 },
      )
      .toBe('Folder: long');
    await page.getByRole('radio', { name: 'Large map' }).click();
    await page.getByRole('button', { name: 'Fill with Moby-Dick' }).click();
    await page.getByText(`${longest} tokens. The model`).waitFor({ timeout: 120_000 });
    const map = page.locator('.big-map[data-whole="true"]');
    await map.waitFor();
    const counted = () =>
      map.evaluate((canvas) => ({
        tiles: Number((canvas as HTMLElement).dataset.tiles),
        draws: Number((canvas as HTMLElement).dataset.draws),
      }));
    // Of the map's millions of weights, the page gets a screen's worth of pixels: 64 or 256 tiles would hold all.
    const whole = await counted();
    expect(whole.tiles).toBeLessThanOrEqual(40);
    expect(whole.draws).toBeLessThanOrEqual(2 * whole.tiles + 4);
    const box = (await map.boundingBox())!;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.wheel(0, -900);
    await map.waitFor();
    await page.evaluate(() => {
      const seen = { moves: 0 };
      Object.assign(window, { seen });
      document.querySelector('.big-map')!.addEventListener('pointermove', () => seen.moves++);
    });
    await page.mouse.down();
    for (let i = 1; i <= 40; i++) await page.mouse.move(x + 4 * i, y + 2 * i);
    await page.mouse.up();
    await map.waitFor();
    const seen = await page.evaluate(
      () => (window as unknown as { seen: { moves: number } }).seen.moves,
    );
    expect(seen).toBeGreaterThan(30);
    // However fast the hand, the map is drawn once a frame, and asks for what is new only.
    const moved = await counted();
    expect(moved.draws - whole.draws).toBeLessThanOrEqual(seen + (moved.tiles - whole.tiles) + 8);
    expect(moved.tiles).toBeLessThanOrEqual(120);
    await page.mouse.move(x + 3, y + 3);
    await page.getByText(/attends to \d+ “.+”: /).waitFor();
    expect(problems).toEqual([]);
  }, 300_000);
});
