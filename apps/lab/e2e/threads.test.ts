import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { Lab } from './lab.js';

const fact = (name: string) => `dt:text-is('${name}') + dd`;

describe.skipIf(!inject('chromium'))('threads of the wasm kernels', () => {
  let isolated: Lab;
  let plain: Lab;
  beforeAll(async () => {
    [isolated, plain] = await Promise.all([Lab.start(true), Lab.start()]);
  });
  afterAll(() => Promise.all([isolated?.stop(), plain?.stop()]));

  test('compute where the server sends the headers, under a policy that forbids blobs', async () => {
    const { page, problems } = await isolated.visitor('wasm');
    await page.goto(`${isolated.url}#/device`);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    const cores = await page.evaluate(() => navigator.hardwareConcurrency);
    expect(await page.locator(fact('Backend')).textContent()).toContain('wasm');
    expect(await page.locator(fact('Threads')).textContent()).toBe(String(Math.min(cores, 8)));
    await page.getByRole('button', { name: 'Run the receipt' }).click();
    await page
      .getByText(/^All \d+ comparisons are within their bounds on this machine\.$/)
      .waitFor();
    expect(problems).toEqual([]);
  });

  test('are one where it does not', async () => {
    const { page, problems } = await plain.visitor('wasm');
    await page.goto(`${plain.url}#/device`);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    expect(await page.locator(fact('Threads')).textContent()).toBe('1');
    expect(problems).toEqual([]);
  });
});
