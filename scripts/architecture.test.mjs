// docs/architecture.md names files and functions: each must exist, and each walk has at most eight hops.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const docs = new URL('../docs/', import.meta.url);
const text = readFileSync(new URL('architecture.md', docs), 'utf8');

/** The numbered items of each walk. */
const walks = text
  .split(/^## /m)
  .slice(1)
  .map((walk) => walk.split(/^\d\. /m).slice(1));

test('every linked file exists', () => {
  for (const [, path] of text.matchAll(/\]\(([^)]+)\)/g)) {
    assert.ok(existsSync(new URL(path, docs)), path);
  }
});

test('every hop names a function of the file that it links', () => {
  for (const hop of walks.flat()) {
    const [, name] = /^`(?:\w+\.)?(\w+)`/.exec(hop) ?? [];
    const [, path] = /\]\(([^)]+)\)/.exec(hop) ?? [];
    const file = fileURLToPath(new URL(path, docs));
    const sources = file.endsWith('README.md')
      ? readdirSync(fileURLToPath(new URL('.', `file://${file}`))).filter((f) => f.endsWith('.ts'))
      : [file];
    const folder = file.slice(0, file.lastIndexOf('/') + 1);
    const found = sources.some((source) =>
      readFileSync(source.startsWith('/') ? source : folder + source, 'utf8').includes(name),
    );
    assert.ok(found, `${name} is not in ${path}`);
  }
});

test('three walks have at most eight hops, and the picture names every package', () => {
  assert.equal(walks.length, 3);
  for (const hops of walks) assert.ok(hops.length > 0 && hops.length <= 8);
  const picture = /```text\n(.*?)```/s.exec(text)[1];
  for (const name of readdirSync(new URL('../packages', import.meta.url))) {
    assert.match(picture, new RegExp(`\\b${name}\\b`), name);
  }
});
