import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { type PreviewServer, preview } from 'vite';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where Chromium is; empty where there is none. */
    chromium: string;
  }
}

/** Below a path, as on a static host that has other pages, too. */
const path = '/some/where/';

/** The built lab behind a web server, and a browser. */
export class Lab {
  readonly url: string;
  readonly #server: PreviewServer;
  readonly #browser: Browser;

  private constructor(server: PreviewServer, browser: Browser) {
    this.#server = server;
    this.#browser = browser;
    this.url = server.resolvedUrls!.local[0]!;
  }

  /** @param sendsHeaders whether the server sends those of `_headers`, as a static host may not */
  static async start(sendsHeaders = false): Promise<Lab> {
    const root = fileURLToPath(new URL('..', import.meta.url));
    const server = await preview({
      root,
      base: path,
      configFile: false,
      logLevel: 'error',
      preview: {
        port: 0,
        host: '127.0.0.1',
        headers: sendsHeaders ? headersIn(`${root}dist/_headers`) : {},
      },
    });
    const browser = await chromium.launch({
      executablePath: inject('chromium'),
      args: [
        '--no-sandbox',
        '--enable-unsafe-webgpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    return new Lab(server, browser);
  }

  /** A visitor who was never here, and what went wrong on the pages that they see. */
  async visitor(
    backend: 'webgpu' | 'wasm' | 'cpu',
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<{ context: BrowserContext; page: Page; problems: string[] }> {
    const context = await this.#browser.newContext({ acceptDownloads: true, ...options });
    await context.addInitScript((name) => {
      // The empty page before the first has no storage.
      if (location.protocol === 'http:') localStorage.setItem('headwise-backend', name);
    }, backend);
    const problems: string[] = [];
    context.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    context.on('weberror', (error) => problems.push(error.error().message));
    context.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      const own = origin === new URL(this.url).origin || protocol === 'blob:';
      if (!own) problems.push(`a request to ${request.url()}`);
    });
    const page = await context.newPage();
    page.setDefaultTimeout(100_000);
    return { context, page, problems };
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
  }
}

function headersIn(path: string): Record<string, string> {
  const lines = readFileSync(path, 'utf8').matchAll(/^ {2}([\w-]+): (.*)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name, value]) => [name!, value!]));
}

/** The row of a run in the table of runs. */
export const rowOf = (page: Page, name: string) =>
  page.getByRole('row').filter({ has: page.getByRole('checkbox', { name, exact: true }) });

/** Steps that a run has made, as its row says. */
export async function stepsOf(page: Page, name: string): Promise<number> {
  const text = await rowOf(page, name).getByRole('cell').nth(2).textContent();
  return Number(text!.split('/')[0]);
}

/** Waits until a run has made so many steps. */
export async function untilStep(page: Page, name: string, step: number): Promise<void> {
  for (;;) {
    if ((await stepsOf(page, name)) >= step) return;
    const status = await rowOf(page, name).getByRole('cell').nth(1).textContent();
    if (status === 'failed')
      throw new Error((await page.getByRole('alert').first().textContent()) ?? '');
    await page.waitForTimeout(100);
  }
}

/** Waits until a run is in a state. */
export async function untilState(page: Page, name: string, state: string): Promise<void> {
  await rowOf(page, name).getByText(state, { exact: true }).waitFor();
}

/** Forks a run through the form, with another number of steps, and waits until the fork is done. */
export async function fork(page: Page, from: string, name: string, steps: number): Promise<void> {
  await rowOf(page, from).getByRole('button', { name: 'Fork' }).click();
  await page.getByRole('heading', { name: 'Fork a run' }).waitFor();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Steps', { exact: true }).fill(`${steps}`);
  await page.getByRole('button', { name: 'Start the fork' }).click();
  await untilState(page, name, 'done');
}

/** Starts a run with a configuration, as a link hands it over. */
export async function startFromLink(
  lab: Lab,
  page: Page,
  name: string,
  link: string,
): Promise<void> {
  await page.goto(`${lab.url}#/experiments?c=${link}`);
  await page.getByText('The configuration in the link is set up below').waitFor();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
}
