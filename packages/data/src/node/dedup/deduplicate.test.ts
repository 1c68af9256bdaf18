import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openInputs } from '../inputs.js';
import { deduplicate } from './deduplicate.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwise-dedup-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function input(texts: readonly string[], name = 'in.jsonl'): Promise<string> {
  const path = join(folder, name);
  const lines = texts.map((text, i) => JSON.stringify({ id: i, text, url: `u${i}` }));
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

async function kept(out: string): Promise<{ id: number; text: string }[]> {
  const names = (await readdir(join(out, 'documents'))).sort();
  const files = await Promise.all(
    names.map((name) => readFile(join(out, 'documents', name), 'utf8')),
  );
  return files
    .join('')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

test('units of any size keep the same documents, each with all of its fields', async () => {
  const texts = Array.from({ length: 60 }, (_, i) => `Chapter ${'x'.repeat(i % 17)}. Whale!`);
  const path = await input(texts);
  for (const unitBytes of [300, 1000, 2 ** 20]) {
    const out = join(folder, `out-${unitBytes}`);
    const report = await deduplicate([path], out, { method: 'exact', unitBytes });
    expect(report).toMatchObject({ documents: 60, kept: 17 });
    const documents = await kept(out);
    expect(documents.map(({ id }) => id)).toEqual(Array.from({ length: 17 }, (_, i) => i));
    expect(documents[3]).toEqual({ id: 3, text: texts[3], url: 'u3' });
  }
});

test.each([
  ['jsonl.gz', { gzip: true }],
  ['parquet', { format: 'parquet' }],
] as const)('what stays may be written as %s', async (ending, output) => {
  const texts = Array.from({ length: 40 }, (_, i) => `Home\nChapter ${'x'.repeat(i % 17)}. Whale!`);
  const path = await input(texts);
  for (const method of ['exact', 'line'] as const) {
    const [plain, packed] = [join(folder, `${method}-plain`), join(folder, `${method}-packed`)];
    const options = { method, unitBytes: 1000 };
    const report = await deduplicate([path], plain, options);
    expect(await deduplicate([path], packed, { ...options, ...output })).toEqual(report);
    expect((await readdir(join(packed, 'documents')))[0]).toBe(`00000.${ending}`);
    const found: object[] = [];
    for await (const { id, text, meta } of openInputs([join(packed, 'documents')])) {
      found.push({ id: Number(id), text, ...meta });
    }
    expect(found).toEqual((await kept(plain)).map((each) => ({ ...each, id: Number(each.id) })));
    expect(found.length).toBeGreaterThan(15);
  }
});

test('lines whose fields have other names become documents', async () => {
  const path = join(folder, 'posts.jsonl');
  await writeFile(path, '{"key":7,"body":"a b","text":"not it"}\n{"key":8,"body":"a b"}\n');
  const out = join(folder, 'out');
  const posts = { path, text: 'body', id: 'key' };
  expect(await deduplicate([posts], out, { method: 'exact' })).toMatchObject({ kept: 1 });
  expect(await kept(out)).toEqual([{ id: '7', text: 'a b' }]);
});

test('near-duplicates of several files go, the first stays', async () => {
  const words = Array.from(
    { length: 200 },
    (_, i) => `word${String.fromCharCode(97 + (i % 26))}${'y'.repeat(i % 7)}`,
  );
  const near = words.with(50, 'other');
  const paths = [
    await input([words.join(' '), 'too short']),
    await input([near.join(' ')], 'b.jsonl'),
  ];
  const report = await deduplicate(paths, join(folder, 'out'), { method: 'minhash' });
  expect(report).toMatchObject({ method: 'minhash', units: 2, documents: 3, kept: 2 });
});

test('repeated lines go, and documents of nothing else', async () => {
  const path = await input(['Home\nCall me Ishmael.\n', 'home', 'HOME\nLoomings']);
  const out = join(folder, 'out');
  const report = await deduplicate([path], out, { method: 'line', unitBytes: 40 });
  expect(report).toMatchObject({ documents: 3, kept: 2, parts: 2, bytes: 39, keptBytes: 30 });
  expect((await kept(out)).map(({ text }) => text)).toEqual([
    'Home\nCall me Ishmael.\n',
    'Loomings',
  ]);
});

test('spans that stood before go, over units', async () => {
  const path = await input(['Call me Ishmael. Loomings.', 'He said: Call me Ishmael. So I did.']);
  const out = join(folder, 'out');
  const options = { method: 'substring', length: 10, unitBytes: 60 } as const;
  const report = await deduplicate([path], out, options);
  expect(report).toMatchObject({ units: 3, documents: 2, kept: 2, parts: 1, keptBytes: 44 });
  expect((await kept(out)).map(({ text }) => text)).toEqual([
    'Call me Ishmael. Loomings.',
    'He said: So I did.',
  ]);
});

test('what was done is not done again, and another plan is refused', async () => {
  const path = await input(['a', 'b', 'a']);
  const out = join(folder, 'out');
  const first = await deduplicate([path], out, { method: 'exact' });
  const steps: number[] = [];
  const again = await deduplicate([path], out, {
    method: 'exact',
    onProgress: (done) => steps.push(done),
  });
  expect([again, steps]).toEqual([first, []]);
  await expect(deduplicate([path], out, { method: 'line' })).rejects.toThrow(
    `${join(out, 'plan.json')}: is of a run with other inputs or settings`,
  );
});

test.each([
  ['{"text": 3}', 'has no "text" that is a string; its fields are '],
  ['{"text": "a"', 'is not JSON in UTF-8'],
  [Buffer.of(0x22, 0xff, 0x22), 'is not JSON in UTF-8'],
])('the line %s is refused by its place', async (line, reason) => {
  const path = join(folder, 'in.jsonl');
  await writeFile(path, Buffer.concat([Buffer.from('{"text":"a"}\n\n'), Buffer.from(line)]));
  const out = join(folder, 'out');
  await expect(deduplicate([path], out, { method: 'exact' })).rejects.toThrow(
    `${path}: the line at byte 14 ${reason}`,
  );
  expect(await readdir(join(out, 'documents'))).toEqual([]);
});
