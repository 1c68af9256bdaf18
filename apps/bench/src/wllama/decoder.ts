import { existsSync } from 'node:fs';
import type { Decoded, Decoder } from '../decoded.js';
import { peersFolder } from '../peers.js';
import { serveFiles } from './site.js';

/** What `tools/peers/wllama.mjs` gives. */
interface Installed {
  chromium(): Promise<{ launch(options: object): Promise<Browser> }>;
  files(): { module: string; wasm: string };
}

interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<A, R>(run: (argument: A) => Promise<R>, argument: A): Promise<R>;
}

/** What is used of wllama. */
interface Wllama {
  loadModel(files: Blob[], options: object): Promise<void>;
  createCompletion(options: object): Promise<AsyncIterable<{ choices: { text: string }[] }>>;
}

/** Chromium, where there is one; `CHROMIUM` names another. */
export const chromiumPath = (): string | undefined =>
  [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
    (path) => path && existsSync(path),
  );

/**
 * wllama in Chromium, on the processor: llama.cpp in WebAssembly with SIMD, on `model.gguf` of a folder.
 *
 * Tokens of the model are written as `<id>`. Keys and values are float32, as the weights are.
 */
export async function wllamaDecoder(
  folder: string,
  threads: number,
  executablePath: string,
): Promise<Decoder> {
  const installed = (await import(new URL('wllama.mjs', peersFolder).href)) as Installed;
  const { module, wasm } = installed.files();
  const site = await serveFiles({
    '/wllama.js': module,
    '/wllama.wasm': wasm,
    '/model.gguf': `${folder}/model.gguf`,
  });
  const browser = await (await installed.chromium()).launch({
    executablePath,
    args: ['--no-sandbox'],
  });
  const page = await browser.newPage();
  await page.goto(site.url);
  await page.evaluate(load, threads);
  return {
    decode: (prompt, tokens) =>
      page.evaluate(complete, { text: prompt.map((id) => `<${id}>`).join(''), tokens }),
    async dispose() {
      await browser.close();
      site.close();
    },
  };
}

/** Runs in the page. */
async function load(threads: number): Promise<void> {
  const path = '/wllama.js';
  const { Wllama } = (await import(path)) as { Wllama: new (paths: object, o: object) => Wllama };
  const wllama = new Wllama({ default: '/wllama.wasm' }, { suppressNativeLog: true });
  const model = await (await fetch('/model.gguf')).blob();
  await wllama.loadModel([model], {
    n_ctx: 256,
    n_threads: threads,
    n_gpu_layers: 0,
    cache_type_k: 'f32',
    cache_type_v: 'f32',
  });
  Object.assign(globalThis, { wllama });
}

/** Runs in the page. */
async function complete({ text, tokens }: { text: string; tokens: number }): Promise<Decoded> {
  const { wllama } = globalThis as unknown as { wllama: Wllama };
  const ids: number[] = [];
  const times: number[] = [];
  const options = { prompt: text, max_tokens: tokens, temperature: 0, top_k: 1, stream: true };
  for await (const { choices } of await wllama.createCompletion(options)) {
    const made = [...(choices[0]?.text ?? '').matchAll(/<(\d+)>/g)].map(([, id]) => Number(id));
    ids.push(...made);
    times.push(...made.map(() => performance.now()));
  }
  return { ids, times };
}
