import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { Lab } from './lab.js';

describe.skipIf(!inject('chromium'))('tokens and device', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterAll(() => lab?.stop());

  test('a tokenizer is trained with progress, shown beside the first, and saved', async () => {
    const { page, problems } = await lab.visitor('wasm');
    await page.goto(`${lab.url}#/tokens`);
    const text = 'the whale, the whaler, the whaling';
    await page.getByLabel('Text', { exact: true }).fill(text);
    const first = page.getByRole('region', { name: 'Tokenizer', exact: true });
    await first.getByRole('button', { name: /, characters 0 to \d+$/ }).waitFor();
    const train = page.getByRole('region', { name: 'Train a tokenizer' });
    await train.getByLabel('Vocabulary').fill('3000');
    await train.getByRole('button', { name: 'Train' }).click();
    await train.getByRole('progressbar').waitFor();
    await train.getByText('Done: 3000 tokens').waitFor();
    const second = page.getByRole('region', { name: 'Second tokenizer' });
    const spans = second.locator('.spans .token');
    await spans.first().waitFor();
    expect(await spans.allTextContents().then((parts) => parts.join(''))).toBe(text);
    expect(await spans.count()).toBeLessThan(await first.locator('.spans .token').count());
    const download = page.waitForEvent('download');
    await train.getByRole('button', { name: 'tokenizer.json' }).click();
    const saved = JSON.parse(readFileSync(await (await download).path(), 'utf8'));
    expect(Object.keys(saved.model.vocab)).toHaveLength(3000);
    expect(problems).toEqual([]);
  });

  test('a tokenizer that is none is refused, and the text stays', async () => {
    const { page } = await lab.visitor('wasm');
    await page.goto(`${lab.url}#/tokens`);
    await page.getByRole('combobox', { name: 'Tokenizer', exact: true }).selectOption('bring');
    await page.getByLabel(/^Drop tokenizer.json/).setInputFiles({
      name: 'tokenizer.json',
      mimeType: 'application/json',
      buffer: Buffer.from('{"version":"1.0","model":{"type":"Magic"}}'),
    });
    const refusal = page.getByRole('alert').filter({ hasText: 'Magic' });
    await refusal.waitFor();
    await page.getByText('Call me Ishmael.').first().waitFor();
    // Tokens of another text come after it, and do not take it away.
    await page.getByLabel('Text', { exact: true }).fill('whale');
    const first = page.getByRole('region', { name: 'Tokenizer', exact: true });
    const tokens = async () => (await first.locator('.spans .token').allTextContents()).join('');
    await expect.poll(tokens, { timeout: 60_000 }).toBe('whale');
    expect(await refusal.count()).toBe(1);
  });

  test('the receipt finds every comparison within its bound on WebGPU, and can be downloaded', async () => {
    const { page, problems } = await lab.visitor('webgpu');
    await page.goto(`${lab.url}#/device`);
    await page.getByRole('button', { name: 'Run the receipt' }).click();
    await page
      .getByText(/^All \d+ comparisons are within their bounds on this machine\.$/)
      .waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Everything as JSON' }).click();
    const saved = JSON.parse(readFileSync(await (await download).path(), 'utf8'));
    expect(saved.engine.backend).toBe('webgpu');
    const checks: { subject: string; ok: boolean }[] = saved.receipt;
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(new Set(checks.map(({ subject }) => subject.split(' ')[0]))).toEqual(
      new Set(['linear', 'layer', 'RMS', 'softmax', 'causal', 'rotary', 'cross-entropy', 'GPT-2,']),
    );
    expect(problems).toEqual([]);
  });

  test('operations are timed, and tilings that were chosen at an earlier visit are used', async () => {
    const { page } = await lab.visitor('webgpu');
    await page.goto(`${lab.url}#/device`);
    await page.getByRole('button', { name: 'Measure' }).click();
    const times = page.getByRole('region', { name: 'Times' }).getByRole('row');
    await times.nth(3).waitFor();
    expect(
      Number.parseFloat((await times.nth(3).getByRole('cell').nth(2).textContent())!),
    ).toBeGreaterThan(0);
    const adapter = await page
      .getByRole('region', { name: 'Adapter' })
      .locator('dt:text-is("Adapter") + dd')
      .textContent();
    await page.evaluate(
      (adapter) =>
        new Promise<void>((kept, failed) => {
          const opening = indexedDB.open('headwise-lab');
          opening.onerror = failed;
          opening.onsuccess = () => {
            const transaction = opening.result.transaction('tilings', 'readwrite');
            const choices = { 'forward/a test': 'direct' };
            transaction.objectStore('tilings').put({ adapter, choices });
            transaction.oncomplete = () => kept();
            transaction.onerror = failed;
          };
        }),
      adapter,
    );
    await page.reload();
    const row = page.getByRole('row').filter({ hasText: 'forward/a test' });
    await row.getByText('direct').waitFor();
  });
});
