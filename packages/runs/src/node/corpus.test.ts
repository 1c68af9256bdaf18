import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { readCorpus } from './corpus.js';

const project = mkdtempSync(join(tmpdir(), 'headwise-corpus-'));
const config = join(project, 'configs', 'deep', 'config.json');

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

function install(name: string, files: Record<string, string>): void {
  for (const [file, text] of Object.entries(files)) write(`node_modules/${name}/${file}`, text);
}

test('a package is found in the projects above the configuration, with a scope or without', async () => {
  install('a-book', {
    'package.json': '{"main": "i.cjs"}',
    'i.cjs': "module.exports = ['one', { title: 'T', text: 'two' }]",
  });
  install('@some/book', {
    'package.json': '{"exports": "./i.cjs"}',
    'i.cjs': "module.exports = () => 'three'",
  });
  expect(await readCorpus('npm:a-book', config)).toBe('one\n\nT\n\ntwo');
  expect(await readCorpus('npm:@some/book', config)).toBe('three');
  await expect(readCorpus('npm:a-book')).rejects.toThrow(
    "corpus 'npm:a-book': the package is not installed; npm install a-book",
  );
});

test.each([
  '../x.js',
  './x',
  '/etc/passwd',
  'a-book/../../x',
  'a-book/i.cjs',
  '..',
  '.',
  '.hidden',
  '_private',
  '',
  'A-Book',
  '@some',
  '@some/',
  '@/book',
  '@some/book/i.cjs',
  '@some/../book',
  'a b',
  'a\\b',
  'a%2fb',
  'file:x',
  'node:fs',
  'fs',
  'fs/promises',
  'punycode',
  'node_modules',
  'x'.repeat(215),
])('%s is not the name of a package', async (name) => {
  write('x.js', "throw new Error('was run')");
  await expect(readCorpus(`npm:${name}`, config)).rejects.toThrow(
    `'${name}' is not the name of a package on npm`,
  );
});

test('an entry outside of the package is not run', async () => {
  write('x.cjs', "throw new Error('was run')");
  install('leads-out', { 'package.json': '{"main": "../../x.cjs"}' });
  await expect(readCorpus('npm:leads-out', config)).rejects.toThrow('its entry lies outside of it');
});

test('neither NODE_PATH nor the home directory is a project', async () => {
  process.env.NODE_PATH = join(project, 'node_modules');
  await expect(readCorpus('npm:a-book')).rejects.toThrow('is not installed');
  delete process.env.NODE_PATH;
});
