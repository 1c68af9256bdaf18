import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { mixedDocuments } from '../../goldens/mixed-documents.node.js';
import { openInputs } from '../inputs.js';
import { filterDocuments, filterShard } from './filter-documents.js';

const temporary = () => mkdtemp(join(tmpdir(), 'filter-'));
const steps = [
  { step: 'gopher-quality', minWords: 40 },
  { step: 'c4-quality', minSentences: 3 },
  { step: 'replace-pii' },
];

const linesBelow = (folder: string, part: string) =>
  readdirSync(join(folder, part))
    .sort()
    .flatMap((name) => readFileSync(join(folder, part, name), 'utf8').split('\n'))
    .filter((line) => line !== '');

async function inputs(): Promise<string> {
  const folder = join(await temporary(), 'raw');
  mkdirSync(folder);
  const lines = mixedDocuments(120).map(
    ({ id, text }) => `${JSON.stringify({ id, text, url: 'https://sea.net' })}\n`,
  );
  writeFileSync(join(folder, 'a.jsonl'), lines.slice(0, 70).join(''));
  // Two members, cut within a line.
  const rest = Buffer.from(lines.slice(70).join(''));
  const members = [rest.subarray(0, 5001), rest.subarray(5001)].map((part) => gzipSync(part));
  writeFileSync(join(folder, 'b.jsonl.gz'), Buffer.concat(members));
  writeFileSync(join(folder, 'c.jsonl'), '');
  return folder;
}

test('documents and rejects are those of one pass, in any cut of the work, and of a run that goes on', async () => {
  const raw = await inputs();
  const whole = await temporary();
  const report = await filterDocuments([raw], whole, { steps, rejects: true });
  const kept = linesBelow(whole, 'documents');
  const rejects = linesBelow(whole, 'rejects').map((line) => JSON.parse(line));
  expect(report.read.documents).toBe(120);
  expect(kept.length).toBeGreaterThan(5);
  expect([report.kept.documents, kept.length + rejects.length]).toEqual([kept.length, 120]);
  expect(JSON.parse(kept[0]!)).toMatchObject({ url: 'https://sea.net' });
  const dropped = report.steps.flatMap(({ step, dropped }) =>
    Object.entries(dropped).map(([rule, { documents }]) => [step, rule, documents]),
  );
  for (const [step, rule, count] of dropped) {
    const found = rejects.filter(
      ({ rejected }) => rejected.step === step && rejected.rule === rule,
    );
    expect(found.length, `${rule}`).toBe(count);
  }

  const cut = await temporary();
  const options = { steps, rejects: true, unitBytes: 20_000 };
  expect(await filterDocuments([raw], cut, options)).toEqual(report);
  expect(linesBelow(cut, 'documents')).toEqual(kept);
  rmSync(join(cut, 'units', '00001.json'));
  rmSync(join(cut, 'documents', '00001.jsonl'));
  writeFileSync(join(cut, 'documents', '.00001.jsonl.1.tmp'), 'half');
  writeFileSync(join(cut, '.plan.json.1.tmp'), 'half');
  expect(await filterDocuments([raw], cut, options)).toEqual(report);
  expect(linesBelow(cut, 'documents')).toEqual(kept);
  expect(readdirSync(join(cut, 'documents')).filter((name) => name.startsWith('.'))).toEqual([]);
  await expect(filterDocuments([raw], cut, { steps })).rejects.toThrow(
    /plan\.json: is of a run with other inputs or settings/,
  );
});

test('shards beside each other come to the bytes and counts of one process, also when one is made again', async () => {
  const raw = await inputs();
  const [whole, parts] = [await temporary(), await temporary()];
  const options = { steps, rejects: true, unitBytes: 20_000 };
  const report = await filterDocuments([raw], whole, options);
  const shardOf = (index: number) =>
    filterShard([raw], parts, { ...options, shard: { index, count: 3 } });
  const done = await Promise.all([0, 1, 2].map(shardOf));
  expect(done.reduce((sum, units) => sum + units)).toBe(readdirSync(join(whole, 'units')).length);
  expect(Math.min(...done)).toBeGreaterThan(0);
  rmSync(join(parts, 'units', '00002.json'));
  writeFileSync(join(parts, 'documents', '.00002.jsonl.1.tmp'), 'half');
  await shardOf(2);
  expect(await filterDocuments([raw], parts, options)).toEqual(report);
  for (const part of ['documents', 'rejects', 'units']) {
    expect(readdirSync(join(parts, part))).toEqual(readdirSync(join(whole, part)));
    expect(linesBelow(parts, part)).toEqual(linesBelow(whole, part));
  }
  await expect(
    filterShard([raw], parts, { ...options, rejects: false, shard: { index: 0, count: 3 } }),
  ).rejects.toThrow(/plan\.json: is of a run with other inputs or settings/);
  await expect(
    filterShard([raw], parts, { ...options, shard: { index: 3, count: 3 } }),
  ).rejects.toThrow(/shard\.index is 3; expected a whole number from 0 to 2/);
});

const bad: [string, Uint8Array | string, RegExp][] = [
  [
    'cut.jsonl.gz',
    gzipSync('{"text":"a"}\n'.repeat(99)).subarray(0, 30),
    /cut\.jsonl\.gz: .*cut off/,
  ],
  ['not.jsonl.gz', 'plain', /not\.jsonl\.gz: cannot be decompressed/],
  [
    'bytes.jsonl',
    Uint8Array.of(0x22, 0xff, 0x22, 0x0a),
    /bytes\.jsonl: the line at byte 0 is not JSON/,
  ],
  ['half.jsonl', '{"text":"a"}\n{"text":', /half\.jsonl: the line at byte 13 is not JSON/],
  ['none.jsonl', '{"text":"a"}\n{"body":"b"}\n', /none\.jsonl: the line at byte 13 has no "text"/],
];

test.each(bad)('%s is refused by name, and has no file', async (name, content, message) => {
  const path = join(await temporary(), name);
  writeFileSync(path, content);
  const out = await temporary();
  await expect(filterDocuments([path], out, { steps, rejects: true })).rejects.toThrow(message);
  for (const part of ['documents', 'rejects', 'units']) {
    expect(readdirSync(join(out, part))).toEqual([]);
  }
});

test.each([
  [[{ step: 'gopher' }], /step 1 is "gopher"; expected gopher-quality,/],
  [[{ step: 'c4-quality', minWords: 3 }], /step 1, c4-quality: 'minWords' is not an option/],
  [[{ step: 'replace-pii', ip: 3 }], /replace-pii: ip is 3; expected a value like "<IP>"/],
  [[], /steps is \[\]; expected a list of steps/],
])('steps that do not exist are refused by name: %j', async (given, message) => {
  await expect(
    filterDocuments([await inputs()], await temporary(), { steps: given }),
  ).rejects.toThrow(message);
});

test('empty documents are dropped by name', async () => {
  const path = join(await temporary(), 'empty.jsonl');
  writeFileSync(path, '{"text":""}\n\n{"text":" "}\n');
  const report = await filterDocuments([path], await temporary(), {
    steps: [{ step: 'gopher-repetition' }, { step: 'fineweb-quality' }],
  });
  expect(report.steps.map(({ dropped }) => dropped)).toEqual([
    { empty: { documents: 1, bytes: 0 } },
    { empty: { documents: 1, bytes: 1 } },
  ]);
});

test.each([
  ['jsonl.gz', { gzip: true }],
  ['parquet', { format: 'parquet' }],
  ['parquet', { format: 'parquet', gzip: true }],
] as const)(
  'documents that are written as %s, %j, are those written as lines',
  async (ending, output) => {
    const raw = await inputs();
    const [plain, packed] = [await temporary(), await temporary()];
    const options = { steps, rejects: true, unitBytes: 20_000 };
    const report = await filterDocuments([raw], plain, options);
    expect(await filterDocuments([raw], packed, { ...options, ...output })).toEqual(report);
    const first = join(packed, 'documents', `00000.${ending}`);
    const bytes = readFileSync(first);
    rmSync(join(packed, 'units', '00000.json'));
    rmSync(first);
    expect(await filterDocuments([raw], packed, { ...options, ...output })).toEqual(report);
    expect(readFileSync(first).equals(bytes)).toBe(true);
    for (const part of ['documents', 'rejects']) {
      const lines = linesBelow(plain, part);
      const found: string[] = [];
      for await (const { id, text, meta } of openInputs([join(packed, part)])) {
        found.push(JSON.stringify({ id, text, ...meta }));
      }
      expect(found).toEqual(lines);
      expect(found.length).toBeGreaterThan(5);
    }
    await expect(filterDocuments([raw], packed, options)).rejects.toThrow(
      /with other inputs or settings/,
    );
  },
);

test('a format that does not exist is refused by name', async () => {
  const format = 'csv' as 'jsonl';
  await expect(
    filterDocuments([await inputs()], await temporary(), { steps, format }),
  ).rejects.toThrow('format is "csv"; expected one of jsonl, parquet');
});

test('a second run in the same folder is refused while one goes on', async () => {
  const raw = await inputs();
  const out = await temporary();
  const runs = await Promise.allSettled([
    filterDocuments([raw], out, { steps }),
    filterDocuments([raw], out, { steps }),
  ]);
  expect(runs.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  for (const run of runs) {
    if (run.status === 'fulfilled') expect(run.value.read.documents).toBe(120);
    else {
      expect(run.reason).toMatchObject({
        name: 'LockedError',
        message: expect.stringContaining(`${join(out, '.lock')}: is locked by`),
      });
    }
  }
});

test('a full disk is named, leaves what was done, and the run goes on when there is room', async ({
  skip,
}) => {
  const disk = await temporary();
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=160k', 'tmpfs', disk]);
  skip(mount.status !== 0, 'needs the right to mount a small tmpfs');
  try {
    const raw = join(await temporary(), 'raw');
    mkdirSync(raw);
    const line = `${JSON.stringify({ text: 'the whale and the sea. '.repeat(40) })}\n`;
    writeFileSync(join(raw, 'a.jsonl'), line.repeat(40));
    writeFileSync(join(raw, 'b.jsonl'), line.repeat(150));
    const options = { steps: [{ step: 'replace-pii' }] };
    const failure = await filterDocuments([raw], disk, options).catch((error) => error);
    expect(failure).toMatchObject({
      name: 'FileError',
      message: expect.stringMatching(/documents.00001\.jsonl: cannot be written: ENOSPC/),
    });
    expect(readdirSync(join(disk, 'documents'))).toEqual(['00000.jsonl']);
    expect(readdirSync(join(disk, 'units'))).toEqual(['00000.json']);
    spawnSync('mount', ['-o', 'remount,size=1m', disk]);
    const report = await filterDocuments([raw], disk, options);
    expect(report.kept.documents).toBe(190);
  } finally {
    spawnSync('umount', [disk]);
  }
});
