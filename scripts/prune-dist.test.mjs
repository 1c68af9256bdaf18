import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pruneDist } from './prune-dist.mjs';

test('what was built from sources that are gone is removed, and nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headwise-prune-'));
  try {
    for (const path of ['src/a', 'dist/a', 'dist/lab'])
      mkdirSync(join(folder, path), { recursive: true });
    const write = (...paths) => paths.map((path) => writeFileSync(join(folder, path), ''));
    write('src/kept.ts', 'src/a/page.tsx', 'src/data.json');
    write(
      'dist/kept.js',
      'dist/kept.js.map',
      'dist/kept.d.ts',
      'dist/kept.d.ts.map',
      'dist/a/page.js',
    );
    write('dist/data.json', 'dist/.tsbuildinfo', 'dist/lab/page.css', 'dist/lab/page.js');
    write('dist/gone.js', 'dist/gone.js.map', 'dist/gone.d.ts', 'dist/a/kept.d.ts.map');
    assert.deepEqual(pruneDist(folder).sort(), [
      'a/kept.d.ts.map',
      'gone.d.ts',
      'gone.js',
      'gone.js.map',
    ]);
    assert.deepEqual(readdirSync(join(folder, 'dist')).sort(), [
      '.tsbuildinfo',
      'a',
      'data.json',
      'kept.d.ts',
      'kept.d.ts.map',
      'kept.js',
      'kept.js.map',
      'lab',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
