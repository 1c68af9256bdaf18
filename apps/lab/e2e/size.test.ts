import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));

test('the first load is under 500 kB of compressed JavaScript, without TensorFlow.js', () => {
  const html = readFileSync(`${dist}index.html`, 'utf8');
  const waiting = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map(
    ([, path]) => path!,
  );
  const loaded = new Set<string>();
  let bytes = 0;
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (loaded.has(path)) continue;
    loaded.add(path);
    const code = readFileSync(dist + path, 'utf8');
    bytes += gzipSync(code).length;
    // TensorFlow.js is for the worker alone.
    expect(code.includes('registerBackend'), path).toBe(false);
    for (const [, file] of code.matchAll(/\bfrom"\.\/([^"]+\.js)"/g))
      waiting.push(`assets/${file}`);
  }
  expect(loaded.size).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(500_000);
});

test('the page allows nothing but itself, and asks nobody else', () => {
  const html = readFileSync(`${dist}index.html`, 'utf8');
  const [, written] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)!;
  const policy = written!.replaceAll('&#39;', "'");
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
  expect(policy).not.toContain('unsafe-inline');
  expect(policy).not.toContain("'unsafe-eval'");
  expect([...html.matchAll(/(?:src|href)="(?!\.\/)([^"]*)"/g)]).toEqual([]);
});
