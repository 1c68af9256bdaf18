import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTextCorpus } from '../node.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwise-data-'));
});
afterEach(() => rm(folder, { recursive: true }));

const refused = async (path: string, reason: string): Promise<void> =>
  expect(readTextCorpus(path)).rejects.toMatchObject({
    name: 'DataError',
    message: expect.stringContaining(`${path}: ${reason}`),
  });

test('a file is one document, without its byte order mark', async () => {
  const path = join(folder, 'whale');
  await writeFile(path, '\ufeffCall me Ishmael.\r\n');
  expect(await readTextCorpus(path)).toEqual([{ path, text: 'Call me Ishmael.\r\n' }]);
});

test('a folder is its .txt files, in the order of their paths', async () => {
  await mkdir(join(folder, 'b'));
  await writeFile(join(folder, 'c.txt'), 'three');
  await writeFile(join(folder, 'b', '2.txt'), 'two');
  await writeFile(join(folder, 'a.txt'), 'one');
  await writeFile(join(folder, 'notes.md'), 'not read');
  expect(await readTextCorpus(folder)).toEqual([
    { path: join(folder, 'a.txt'), text: 'one' },
    { path: join(folder, 'b', '2.txt'), text: 'two' },
    { path: join(folder, 'c.txt'), text: 'three' },
  ]);
});

test('what is missing or holds no text is named', async () => {
  const path = join(folder, 'a.txt');
  await refused(path, 'cannot be read: ENOENT');
  await refused(folder, 'holds no .txt file, expected at least one');
  await writeFile(path, '');
  await refused(path, 'holds no text in its 0 bytes');
  await writeFile(path, ' \n');
  await refused(path, 'holds no text in its 2 bytes');
});

test.each([
  [[0x61, 0xff, 0x62], 1],
  [[0xff], 0],
  [[0x61, 0x62, 0xc3, 0x28, 0x62, 0x62, 0x62], 3],
  // A character of three bytes that ends with the file after two.
  [[0x61, 0xe2, 0x82], 2],
])('bytes %j are not UTF-8 from byte %i on', async (bytes, at) => {
  const path = join(folder, 'a.txt');
  await writeFile(path, Uint8Array.from(bytes));
  await refused(path, `is not UTF-8 from byte ${at} on`);
});

test.skipIf(process.platform === 'win32')(
  'a FIFO is read where it is named itself, and refused in a folder; a device is refused',
  async () => {
    const fifo = join(folder, 'a.txt');
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    await expect(readTextCorpus(folder)).rejects.toMatchObject({
      name: 'DataError',
      message: `${fifo}: is not a regular file, but a FIFO`,
    });
    const [[document]] = await Promise.all([readTextCorpus(fifo), writeFile(fifo, 'Call me')]);
    expect(document!.text).toBe('Call me');
    await expect(readTextCorpus('/dev/zero')).rejects.toMatchObject({
      name: 'DataError',
      message: '/dev/zero: is not a regular file, but a device',
    });
  },
);
