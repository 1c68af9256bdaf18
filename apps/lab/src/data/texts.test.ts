import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCorpus } from '@headwise/runs/node';
import { expect, test } from 'vitest';
import { maxTextBytes, readTextFile } from './texts.js';

test('a text is read as the command line reads it: line ends stay, a byte order mark goes', async () => {
  const text = 'one\r\ntwo\rthree\n';
  expect(await readTextFile(new Blob([`\ufeff${text}`]), 'a.txt')).toBe(text);
  const path = join(mkdtempSync(join(tmpdir(), 'headwise-texts-')), 'a.txt');
  writeFileSync(path, `\ufeff${text}`);
  expect(await readCorpus(path)).toBe(text);
});

test('an empty, a binary and a huge file are refused, saying what to do', async () => {
  await expect(readTextFile(new Blob([]), 'a.txt')).rejects.toThrow(
    'a.txt is empty: it has 0 bytes. Choose a file with text in it.',
  );
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * 37) % 256);
  await expect(readTextFile(new Blob([bytes]), 'a.png')).rejects.toThrow(
    'a.png: is not UTF-8 from byte 4 on',
  );
  await expect(readTextFile(new Blob(['a\0'.repeat(99)]), 'a.bin')).rejects.toThrow(
    'looks like a binary file',
  );
  const huge = { size: 500 * 2 ** 20, arrayBuffer: () => Promise.reject(new Error('was read')) };
  await expect(readTextFile(huge as unknown as Blob, 'big.txt')).rejects.toThrow(
    `big.txt has 500 MB; the lab reads texts up to ${maxTextBytes / 2 ** 20} MB`,
  );
});
