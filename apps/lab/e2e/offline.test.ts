import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { Lab } from './lab.js';

describe.skipIf(!inject('chromium'))('without a connection, and after a new version', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterAll(() => lab?.stop());

  const chunk = '**/assets/page-*.js';

  test('a page that cannot be fetched says so, the others go on, and it comes when it can', async () => {
    const { context, page } = await lab.visitor('wasm');
    await context.route(chunk, (route) => route.abort('internetdisconnected'));
    await page.goto(lab.url);
    await context.setOffline(true);
    await page.getByRole('link', { name: 'Tokens' }).click();
    await page.getByText('The page Tokens could not be loaded: the connection is lost').waitFor();
    await page.getByRole('link', { name: 'Experiments' }).click();
    await page.getByRole('button', { name: 'Start', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Tokens' }).click();
    await page.getByText('The page Tokens could not be loaded').waitFor();
    await context.unroute(chunk);
    await context.setOffline(false);
    // It is fetched by itself when the connection is back.
    await page.locator('.spans .token').first().waitFor();
  });

  test('every page that was fetched while there was a connection is there without one', async () => {
    const { context, page } = await lab.visitor('wasm');
    const fetched = new Set<string>();
    page.on('response', (response) => {
      if (/\/assets\/page-/.test(response.url())) fetched.add(response.url());
    });
    await page.goto(lab.url);
    await expect.poll(() => fetched.size, { timeout: 30_000 }).toBe(4);
    await context.setOffline(true);
    for (const name of ['Attention', 'Playground', 'Tokens', 'Device']) {
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByRole('heading', { name, level: 1 }).waitFor();
    }
  });

  test('a page of an older version asks to load the lab again', async () => {
    const { context, page } = await lab.visitor('wasm');
    await context.route(chunk, (route) => route.fulfill({ status: 404, body: 'gone' }));
    await page.goto(lab.url);
    await page.getByRole('link', { name: 'Attention' }).click();
    await page.getByText('is of an older version of the lab').waitFor();
    await context.unroute(chunk);
    await page.getByRole('button', { name: 'Load the lab again' }).click();
    await page.getByRole('button', { name: /^Show layer 3, head 3/ }).waitFor();
  });

  test('a lab without its code, or without its worker, says so', async () => {
    const { context, page } = await lab.visitor('wasm');
    await context.route('**/assets/index-*.js', (route) => route.fulfill({ status: 404 }));
    await page.goto(lab.url);
    await page.getByText('The lab could not be loaded').waitFor();
    await context.unroute('**/assets/index-*.js');
    await context.route('**/assets/main-*.js', (route) => route.fulfill({ status: 404 }));
    await page.getByRole('button', { name: 'Load the lab again' }).click();
    await page.getByText('A part of the lab could not be loaded').first().waitFor();
    await page.getByRole('heading', { name: 'Experiments' }).waitFor();
  });
});
