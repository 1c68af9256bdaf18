import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lineUnits, readLines } from './line-units.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwise-lines-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function linesOf(path: string, size: number): Promise<[string, number][]> {
  const lines: [string, number][] = [];
  for (const unit of await lineUnits([path], { size })) {
    for await (const { bytes, at } of readLines(unit)) lines.push([String(Buffer.from(bytes)), at]);
  }
  return lines;
}

test.each(['one\ntwo\n\nthree', '\n\na\n', 'é\r\n'.repeat(3), '', 'x'])(
  'units of every size have each line of %j once, with its place',
  async (text) => {
    const path = join(folder, 'lines.jsonl');
    await writeFile(path, text);
    const expected: [string, number][] = [];
    let at = 0;
    for (const line of text.split('\n')) {
      if (line !== '') expected.push([line, at]);
      at += Buffer.byteLength(line) + 1;
    }
    for (let size = 1; size <= 18; size++) expect(await linesOf(path, size)).toEqual(expected);
  },
);

test('a line longer than the pieces that are read is whole', async () => {
  const path = join(folder, 'long.jsonl');
  const long = 'whale'.repeat(500_000);
  await writeFile(path, `${long}\n${long}!`);
  const lines = await linesOf(path, 2 ** 20);
  expect(lines.map(([line]) => line === long)).toEqual([true, false]);
  expect(lines[1]).toEqual([`${long}!`, long.length + 1]);
});

test('a folder is read in the order of its paths, and one without .jsonl files is refused', async () => {
  await expect(lineUnits([folder])).rejects.toThrow('holds no .jsonl file, expected at least one');
  for (const name of ['b.jsonl', 'a.jsonl', 'c.txt']) await writeFile(join(folder, name), name);
  const paths = (await lineUnits([folder])).map(({ path }) => path);
  expect(paths).toEqual([join(folder, 'a.jsonl'), join(folder, 'b.jsonl')]);
});
