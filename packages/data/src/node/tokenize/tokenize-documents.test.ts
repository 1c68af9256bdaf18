import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Tokenizer, trainByteLevelBpe } from '@headwise/tokenizers';
import { expect, test } from 'vitest';
import { type ByteSource, blobSource, httpSource, TokenShards } from '../../index.js';
import { openShards } from './folder-source.js';
import { tokenizeDocuments, tokenizerHash } from './tokenize-documents.js';

const temporary = () => mkdtemp(join(tmpdir(), 'shards-'));

const texts = Array.from(
  { length: 40 },
  (_, i) => `Of ${i} whales é ${'the sea and the whale '.repeat(i % 7)}`,
);
const small = await trainByteLevelBpe([texts.join('\n')], {
  vocabSize: 300,
  specialTokens: ['<end>'],
});
/** The same, with an id beyond two bytes. */
const wide = (() => {
  const json = structuredClone(small.toJSON()) as {
    model: { vocab: Record<string, number> };
    added_tokens: { id: number }[];
  };
  json.model.vocab['<end>'] = 70_000;
  json.added_tokens[0]!.id = 70_000;
  return Tokenizer.fromJSON(json);
})();

async function inputs(): Promise<string> {
  const folder = join(await temporary(), 'in');
  mkdirSync(folder);
  const lines = texts.map((text) => `${JSON.stringify({ text })}\n`);
  writeFileSync(join(folder, 'a.jsonl'), [...lines.slice(0, 25), '{"text":""}\n'].join(''));
  writeFileSync(join(folder, 'b.jsonl'), '');
  writeFileSync(join(folder, 'c.jsonl.gz'), gzipSync(lines.slice(25).join('')));
  return folder;
}

const filesIn = (folder: string) =>
  ['shards', '.'].flatMap((part) =>
    readdirSync(join(folder, part))
      .filter((name) => /\.ds|shards\.json/.test(name))
      .map((name) => [name, readFileSync(join(folder, part, name)).toString('hex')]),
  );

test.each([
  ['u16', small],
  ['u32', wide],
] as const)(
  'documents are found again as %s by number and by position, wherever shards begin',
  async (dtype, tokenizer) => {
    const folder = await temporary();
    const options = { tokenizer, end: '<end>', unitBytes: 700 };
    const report = await tokenizeDocuments([await inputs()], folder, options);
    const shards = await openShards(folder);
    expect(shards.manifest).toMatchObject({
      dtype,
      documents: 40,
      endId: tokenizer.tokenToId('<end>'),
    });
    expect(report).toMatchObject({ documents: 40, empty: 1, tokens: shards.length });
    expect(report.shards).toBeGreaterThan(4);
    expect(report.bytes).toBe(Buffer.byteLength(texts.join('')));

    const expected = texts.map((text) => [...tokenizer.encode(text).ids, shards.manifest.endId!]);
    const all = expected.flat();
    for (const [i, ids] of expected.entries()) expect([...(await shards.document(i))]).toEqual(ids);
    expect([...(await shards.read(0, shards.length))]).toEqual(all);
    for (let start = 0; start + 90 <= all.length; start += 41) {
      expect([...(await shards.read(start, 90))]).toEqual(all.slice(start, start + 90));
    }
    expect([...(await shards.read(all.length, 0))]).toEqual([]);
    await expect(shards.read(all.length - 1, 2)).rejects.toThrow(`it has ${all.length}`);
    await expect(shards.document(40)).rejects.toThrow('document 40 is asked for, it has 40');
    shards.checkTokenizer(tokenizerHash(tokenizer), 'it');
    const other = tokenizer === small ? wide : small;
    expect(() => shards.checkTokenizer(tokenizerHash(other), 'other.json')).toThrow(
      /was tokenised with the tokenizer of SHA-256 [\da-f]{64}; other\.json has [\da-f]{64}/,
    );
  },
);

test('a run that goes on ends with the same bytes, and another tokenizer is refused', async () => {
  const [raw, whole, killed] = [await inputs(), await temporary(), await temporary()];
  const options = { tokenizer: small, unitBytes: 700 };
  await tokenizeDocuments([raw], whole, options);
  await tokenizeDocuments([raw], killed, options);
  rmSync(join(killed, 'shards.json'));
  rmSync(join(killed, 'units', '00002.json'));
  writeFileSync(join(killed, 'shards', '00002.ds'), 'half');
  await tokenizeDocuments([raw], killed, options);
  expect(filesIn(killed)).toEqual(filesIn(whole));
  await expect(tokenizeDocuments([raw], killed, { ...options, tokenizer: wide })).rejects.toThrow(
    'is of a run with other inputs or settings',
  );
  await expect(
    tokenizeDocuments([raw], await temporary(), { ...options, end: '</s>' }),
  ).rejects.toThrow('end is "</s>", expected a token of the tokenizer');
});

test('HTTP ranges and chosen files read the same tokens; a server without ranges and a shard cut off are refused', async () => {
  const folder = await temporary();
  await tokenizeDocuments([await inputs()], folder, { tokenizer: small });
  const here = await openShards(folder);
  let ranges = true;
  const server = createServer((request, response) => {
    const bytes = readFileSync(join(folder, request.url!));
    const range = /bytes=(\d+)-(\d+)/.exec(ranges ? (request.headers.range ?? '') : '');
    response.statusCode = range ? 206 : 200;
    response.end(range ? bytes.subarray(Number(range[1]), Number(range[2]) + 1) : bytes);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const names = here.manifest.shards.flatMap(({ name }) => [
      `shards/${name}.ds`,
      `shards/${name}.ds.index`,
    ]);
    const blobs = new Map(
      ['shards.json', ...names].map((name) => [name, new Blob([readFileSync(join(folder, name))])]),
    );
    const sources: ByteSource[] = [httpSource(address), blobSource(blobs)];
    for (const source of sources) {
      const there = await TokenShards.open(source);
      expect(await there.read(5, 400)).toEqual(await here.read(5, 400));
      expect(await there.document(39)).toEqual(await here.document(39));
    }
    ranges = false;
    const without = await TokenShards.open(httpSource(address));
    await expect(without.read(0, 1)).rejects.toThrow(
      'expected 206; the server does not serve ranges',
    );
  } finally {
    server.close();
  }
  writeFileSync(join(folder, 'shards', '00000.ds'), 'xy');
  await expect(here.read(0, 3)).rejects.toThrow(/00000\.ds: ends at byte 2, expected at least 6/);
});

test.each([
  [small, Uint16Array.of(0xffff), 65535],
  [wide, Uint32Array.of(0xffffffff), 4294967295],
])(
  'an id outside the vocabulary is named with its shard and its place there',
  async (tokenizer, id, number) => {
    const folder = await temporary();
    await tokenizeDocuments([await inputs()], folder, { tokenizer, unitBytes: 700 });
    const shards = await openShards(folder);
    const [first, second] = shards.manifest.shards;
    const path = join(folder, 'shards', `${second!.name}.ds`);
    const bytes = readFileSync(path);
    bytes.set(new Uint8Array(id.buffer), 3 * id.BYTES_PER_ELEMENT);
    writeFileSync(path, bytes);
    const at = first!.tokens + 3;
    await expect(shards.read(at - 2, 4)).rejects.toThrow(
      `${path}: token 3 has the id ${number}, expected a whole number below the vocabulary size ${tokenizer.vocabSize}`,
    );
    expect(await shards.read(at - 2, 2)).toHaveLength(2);
    expect(await shards.read(at + 1, 1)).toHaveLength(1);
  },
);

test.each([
  ['{', /shards\.json: is not JSON/],
  ['{"format":"x"}', /format is "x", version undefined; expected "headwise-shards", version 1/],
  [
    '{"format":"headwise-shards","version":1,"dtype":"u16","tokens":3,"documents":1,"shards":[]}',
    /says 3 tokens of 1 documents, its shards have 0 of 0/,
  ],
  [
    '{"format":"headwise-shards","version":1,"dtype":"u16","tokens":0,"documents":0,"shards":[]}',
    /shards\.json: vocabSize is undefined, expected a whole number of at least 1/,
  ],
])('the manifest %s is refused by name', async (text, message) => {
  const folder = await temporary();
  writeFileSync(join(folder, 'shards.json'), text);
  await expect(openShards(folder)).rejects.toThrow(message);
});
