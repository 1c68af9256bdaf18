import { expect, test } from 'vitest';
import { maxTextBytes, readTextFile } from './texts.js';

test('a text is read, its line ends made one kind', async () => {
  expect(await readTextFile(new Blob(['one\r\ntwo\rthree\n']), 'a.txt')).toBe('one\ntwo\nthree\n');
});

test('an empty, a binary and a huge file are refused, saying what to do', async () => {
  await expect(readTextFile(new Blob([]), 'a.txt')).rejects.toThrow(
    'a.txt is empty: it has 0 bytes. Choose a file with text in it.',
  );
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * 37) % 256);
  await expect(readTextFile(new Blob([bytes]), 'a.png')).rejects.toThrow(
    'looks like a binary file',
  );
  const huge = { size: 500 * 2 ** 20, arrayBuffer: () => Promise.reject(new Error('was read')) };
  await expect(readTextFile(huge as unknown as Blob, 'big.txt')).rejects.toThrow(
    `big.txt has 500 MB; the lab reads texts up to ${maxTextBytes / 2 ** 20} MB`,
  );
});
