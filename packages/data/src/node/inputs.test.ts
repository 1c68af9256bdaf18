import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { blobFile } from '../readers/byte-file.js';
import { readDocuments } from '../readers/read-documents.js';
import { type Input, inputUnits, openInputs, readUnit } from './inputs.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwise-inputs-'));
});
afterEach(() => rm(folder, { recursive: true }));

const place = (name: string) => join(folder, name);

async function read(inputs: readonly Input[]) {
  const documents = [];
  for await (const { line: _, ...document } of openInputs(inputs)) documents.push(document);
  return documents;
}

/** What the same bytes are in a browser, with decompressors in JavaScript. */
async function readBlob(name: string, options = {}) {
  const documents = [];
  const file = blobFile(new Blob([await readFile(name)]), name);
  for await (const { line: _, ...document } of readDocuments(file, options)) {
    documents.push(document);
  }
  return documents;
}

const textOf = (n: number) => JSON.stringify({ text: 'é'.repeat(n) });

test.each([[1, 2, 3], [1], []])(
  'units of every size have each line once: %j',
  async (...counts) => {
    const path = place('lines.jsonl');
    await writeFile(
      path,
      counts
        .map((n) => `${textOf(n)}\n\n`)
        .join('')
        .trimEnd(),
    );
    const expected = counts.map((n) => 'é'.repeat(n));
    for (let size = 1; size <= 22; size++) {
      const texts = [];
      for (const unit of await inputUnits([path], { size })) {
        for await (const { text } of readUnit(unit)) texts.push(text);
      }
      expect(texts, String(size)).toEqual(expected);
    }
  },
);

test('a line longer than the pieces that are read is whole, and one longer than maxBytes is refused', async () => {
  const path = place('long.jsonl');
  const long = 'whale'.repeat(500_000);
  await writeFile(path, `{"text":"a"}\n{"text":"${long}"}\n{"text":"b"}`);
  expect((await read([path])).map(({ text }) => text.length)).toEqual([1, long.length, 1]);
  await expect(read([{ path, maxBytes: 1000 }])).rejects.toThrow(
    `${path}: the line at byte 13 is longer than maxBytes, 1000 bytes`,
  );
});

const page = (text: string, status = 200) =>
  `HTTP/1.1 ${status} OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n` +
  `<html><head><title>Sea</title><style>p{}</style></head><body><nav>Home</nav><h1>Loomings</h1><p>${text}</p><script>1</script></body></html>`;

function record(type: string, content: string, fields: Record<string, string> = {}): string {
  const headers = {
    'WARC-Type': type,
    'WARC-Record-ID': `<urn:uuid:${type}>`,
    'WARC-Target-URI': 'https://sea.net/',
    'WARC-Date': '2026-01-02T03:04:05Z',
    'Content-Type': 'application/http; msgtype=response',
    ...fields,
    'Content-Length': String(Buffer.byteLength(content)),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `WARC/1.0\r\n${lines.join('')}\r\n${content}\r\n\r\n`;
}

const warc = [
  record('warcinfo', 'software: test\r\n', { 'Content-Type': 'application/warc-fields' }),
  record('request', 'GET / HTTP/1.1\r\n\r\n', {
    'Content-Type': 'application/http; msgtype=request',
  }),
  record('response', page('Call me <b>Ishmael</b> 🐳.')),
  record('response', page('Gone', 404)),
  record('conversion', 'Some years ago', { 'Content-Type': 'text/plain' }),
];
const meta = { url: 'https://sea.net/', date: '2026-01-02T03:04:05Z' };

test.each<[string, string | Uint8Array, object[], object?]>([
  [
    'a.jsonl',
    '{"id":7,"text":"a","n":[1]}\n\n{"text":"b"}',
    [
      { id: '7', text: 'a', meta: { n: [1] } },
      { id: '$:29', text: 'b', meta: {} },
    ],
  ],
  [
    'a.csv',
    '\ufeffid,text,url\r\n1,"a ""b""\nc",u\n2,d,',
    [
      { id: '1', text: 'a "b"\nc', meta: { url: 'u' } },
      { id: '2', text: 'd', meta: { url: '' } },
    ],
  ],
  [
    'b.csv',
    'key,body\nk,whale\n',
    [{ id: 'k', text: 'whale', meta: {} }],
    { text: 'body', id: 'key' },
  ],
  ['a.txt', '\ufeffCall me\nIshmael.\n', [{ id: '$', text: 'Call me\nIshmael.\n', meta: {} }]],
  [
    'a.warc',
    warc.join(''),
    [
      { id: '<urn:uuid:response>', text: 'Loomings\n\nCall me Ishmael 🐳.', meta },
      { id: '<urn:uuid:conversion>', text: 'Some years ago', meta },
    ],
  ],
  [
    'a.wet',
    warc.slice(4).join(''),
    [{ id: '<urn:uuid:conversion>', text: 'Some years ago', meta }],
  ],
  ['empty.jsonl', '', []],
  ['empty.csv', '', []],
  ['empty.parquet', '', []],
  ['blank.jsonl', '{"text":""}\n', [{ id: '$:0', text: '', meta: {} }]],
  ['other', '{"text":"a"}', [{ id: '$:0', text: 'a', meta: {} }], { format: 'jsonl' }],
])(
  '%s is its documents, plain and as gzip of several members, from disk and from a Blob',
  async (name, content, expected, options = {}) => {
    const path = place(name);
    const named = (file: string) =>
      expected.map((each) => JSON.parse(JSON.stringify(each).replace('$', file)));
    await writeFile(path, content);
    expect(await read([{ path, ...options }])).toEqual(named(path));
    expect(await readBlob(path, options)).toEqual(named(path));
    if (name.endsWith('.parquet') || name === 'other') return;
    const bytes = Buffer.from(content);
    const members = name.endsWith('.warc')
      ? warc.map((each) => gzipSync(each))
      : [gzipSync(bytes.subarray(0, 20)), gzipSync(bytes.subarray(20))];
    await writeFile(`${path}.gz`, Buffer.concat(members));
    expect(await read([{ path: `${path}.gz`, ...options }])).toEqual(named(`${path}.gz`));
    expect(await readBlob(`${path}.gz`, options)).toEqual(named(`${path}.gz`));
  },
);

// `printf '{"text":"whale"}\n' | zstd`
const frame = Buffer.from('28b52ffd04588900007b2274657874223a227768616c65227d0a0e749160', 'hex');

test('zstd of several frames is read, and a cut one is refused', async () => {
  const path = place('a.jsonl.zst');
  await writeFile(path, Buffer.concat([frame, frame]));
  expect((await read([path])).map(({ id, text }) => [id, text])).toEqual([
    [`${path}:0`, 'whale'],
    [`${path}:17`, 'whale'],
  ]);
  await writeFile(path, frame.subarray(0, -6));
  await expect(read([path])).rejects.toThrow(
    `${path}: cannot be decompressed after byte 0: the file is cut off`,
  );
});

const golden = new URL('../goldens/labels-zstd.parquet', import.meta.url);

test('Parquet is its rows, cut between row groups', async () => {
  const path = place('labels.parquet');
  await writeFile(path, await readFile(golden));
  const expected = [0, 1, 2, 3, 4].map((n) =>
    expect.objectContaining({ id: `${path}:${n}`, text: `text ${n}` }),
  );
  expect(await read([path])).toEqual(expected);
  expect(await readBlob(path)).toEqual(expected);
  const units = await inputUnits([path], { size: 1 });
  expect(units.length).toBeGreaterThan(1);
  const ids = [];
  for (const unit of units.reverse()) for await (const { id } of readUnit(unit)) ids.push(id);
  expect(ids.sort()).toEqual(expected.map((_, n) => `${path}:${n}`));
  await expect(read([{ path, text: 'body' }])).rejects.toThrow(
    `${path}: row 1 has no "body" that is a string; its fields are text, label, weight`,
  );
});

test('folders and globs are their files in the order of their paths; others are refused', async () => {
  await expect(inputUnits([folder])).rejects.toThrow('holds no file of documents');
  await mkdir(place('sub'));
  for (const name of ['b.jsonl', 'sub/a.txt', 'a.csv.gz', 'notes.md']) {
    await writeFile(place(name), name.endsWith('gz') ? gzipSync('text\nc') : '{"text":"x"}');
  }
  const paths = async (input: string) =>
    (await inputUnits([input])).map(({ path }) => path.slice(folder.length + 1));
  expect(await paths(folder)).toEqual(['a.csv.gz', 'b.jsonl', 'sub/a.txt']);
  expect(await paths(place('**/a.*'))).toEqual(['a.csv.gz', 'sub/a.txt']);
  await expect(inputUnits([place('*.warc')])).rejects.toThrow('matches no file of documents');
  await expect(inputUnits([place('none.jsonl')])).rejects.toThrow('cannot be read: ENOENT');
  await expect(inputUnits([place('notes.md')])).rejects.toThrow(
    'its ending names no format of documents',
  );
});

test('output within an input folder is refused, beside it not', async () => {
  await mkdir(place('raw'));
  await writeFile(place('raw/a.jsonl'), textOf(1));
  const within = (out: string) => inputUnits([place('raw')], { out: place(out) });
  for (const out of ['raw', 'raw/clean']) {
    await expect(within(out)).rejects.toThrow(`${place(out)}: is within the input ${place('raw')}`);
  }
  for (const out of ['', 'raw-clean', '..clean']) expect(await within(out)).toHaveLength(1);
  expect(await inputUnits([place('raw/*.jsonl')], { out: place('raw/clean') })).toHaveLength(1);
});

test('an address is read by ranges', async () => {
  const bytes = Buffer.from(`{"text":"a"}\n`.repeat(3));
  const server = createServer((request, response) => {
    const [, start, end] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    if (request.url !== '/a.jsonl') response.writeHead(404).end();
    else if (request.method === 'HEAD')
      response.writeHead(200, { 'content-length': bytes.length }).end();
    else response.writeHead(206).end(bytes.subarray(Number(start), Number(end) + 1));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const units = await inputUnits([`${address}/a.jsonl`], { size: 15 });
    const ids = [];
    for (const unit of units) for await (const { id } of readUnit(unit)) ids.push(id);
    expect(ids).toEqual([0, 13, 26].map((at) => `${address}/a.jsonl:${at}`));
    await expect(inputUnits([`${address}/b.jsonl`])).rejects.toThrow('answered with status 404');
  } finally {
    server.close();
  }
});

test.each<[unknown, string]>([
  [{ path: 'a', body: 'b' }, "inputs: 'body' is not a key of an input; expected path, text, id,"],
  [{ path: 'a', format: 'xml' }, 'inputs: format is "xml"; expected one of jsonl, csv, text,'],
  [{ path: 'a', maxBytes: 0 }, 'inputs: maxBytes is 0; expected a whole number of at least 1'],
  [3, 'inputs: path is undefined; expected a path, a glob or an address'],
])('settings that an input does not have are refused: %j', async (input, message) => {
  await expect(inputUnits([input as Input])).rejects.toThrow(message);
});

test('a field is refused where a format has none', async () => {
  const path = place('a.txt');
  await writeFile(path, 'whale');
  await expect(inputUnits([{ path, text: 'body' }])).rejects.toThrow(
    `${path}: its format is text, which has no field "body"; leave out text and id`,
  );
});

const bad: [string, string | Uint8Array, RegExp][] = [
  ['cut.jsonl.gz', gzipSync('{"text":"a"}\n'.repeat(99)).subarray(0, 30), /cut off/],
  ['cut.warc.gz', gzipSync(warc[4]!).subarray(0, 90), /cut off/],
  ['cut.warc', warc.join('').slice(0, -12), /record 5 is cut off after \d+ of 14 bytes/],
  ['not.warc', 'plain text\n', /WARC/],
  ['not.csv.gz', 'plain', /cannot be decompressed after byte 0/],
  ['not.jsonl.zst', 'plain text', /cannot be decompressed after byte 0/],
  ['not.parquet', 'plain text, of some length', /cannot be read as Parquet/],
  ['bytes.jsonl', Uint8Array.of(0x22, 0xff, 0x22), /the line at byte 0 is not JSON in UTF-8/],
  ['bytes.csv', Buffer.from('text\n\xff', 'latin1'), /is not UTF-8 between bytes 0 and 6/],
  ['bytes.txt', Buffer.from('a\xff', 'latin1'), /is not UTF-8 between bytes 0 and 2/],
  ['quote.csv', 'text\n"a', /is not CSV after line 1: Quote Not Closed/],
  ['ragged.csv', 'text,id\na,1\nb,2,3', /is not CSV after line 2: .*Length/],
  ['column.csv', 'body\na', /has no "text" that is a string; its fields are body/],
  ['half.jsonl', '{"text":"a"}\n{"text":', /the line at byte 13 is not JSON/],
];

test.each(bad)('%s is refused by name, and where', async (name, content, message) => {
  const path = place(name);
  await writeFile(path, content);
  const failure = await read([path]).catch((error) => error);
  expect(failure).toMatchObject({ name: 'DataError', message: expect.stringMatching(message) });
  expect(failure.message.startsWith(path)).toBe(true);
  await expect(readBlob(path)).rejects.toThrow(message);
});
