import { expect, test } from 'vitest';
import type { ByteSource } from './byte-source.js';
import { shardBatches, wholeWindows } from './shard-batches.js';
import { TokenShards } from './token-shards.js';

/** Shards in memory that hold consecutive numbers, and a list of the ranges that are read of them. */
async function counting(name: string, first: number, lengths: readonly number[]) {
  const reads: string[] = [];
  const shards = lengths.map((tokens, i) => ({
    name: `${i}`,
    documents: 1,
    tokens,
    bytes: 0,
    sha256: '',
  }));
  const tokens = lengths.reduce((sum, n) => sum + n, 0);
  const manifest = {
    format: 'headwise-shards',
    version: 1,
    dtype: 'u16',
    vocabSize: 2000,
    documents: lengths.length,
    tokens,
    shards,
  };
  const all = Uint16Array.from({ length: tokens }, (_, i) => first + i);
  const source: ByteSource = {
    name,
    async read(file, range) {
      if (!range) return new TextEncoder().encode(JSON.stringify(manifest));
      const shard = Number(/shards\/(\d+)\.ds$/.exec(file)![1]);
      const before = lengths.slice(0, shard).reduce((sum, n) => sum + n, 0);
      reads.push(`${file} ${range.start}`);
      return new Uint8Array(all.buffer, 2 * before).slice(range.start, range.end);
    },
  };
  return { shards: await TokenShards.open(source), reads };
}

const [a, b] = [await counting('a', 0, [50, 61, 10]), await counting('b', 1000, [400])];
const sources = [
  { shards: a.shards, start: 0, end: 121, weight: 1 },
  { shards: b.shards, start: 0, end: 360, weight: 3 },
];
const options = { length: 12, batchSize: 4, seed: 5 };

test('any step is what it is in sequence, and reads its own windows only', async () => {
  const inOrder = shardBatches(sources, options);
  const sequence = [];
  for (let step = 0; step < 40; step++) sequence.push(await inOrder.at(step));
  const anyOrder = shardBatches(sources, options);
  for (const step of [39, 3, 0, 17]) expect(await anyOrder.at(step)).toEqual(sequence[step]);
  b.reads.length = 0;
  await anyOrder.at(30);
  expect(b.reads.length).toBe(3);
  for (const { inputs, targets, shape } of sequence) {
    expect(shape).toEqual([4, 12]);
    expect([...targets]).toEqual([...inputs].map((id) => id + 1));
    expect([...inputs].every((id) => id < 120 || (id >= 1000 && id < 1360))).toBe(true);
  }
  // Ten windows of a in its first epoch: those of 10 steps, one in four rows.
  const firsts = sequence
    .slice(0, 10)
    .flatMap(({ inputs }) => [...inputs])
    .filter((id, i) => i % 12 === 0 && id < 120);
  expect(firsts.sort((x, y) => x - y)).toEqual(Array.from({ length: 10 }, (_, n) => 12 * n));
});

test('a curriculum cuts the same windows into shorter rows', async () => {
  const curriculum = [
    { steps: 2, length: 3 },
    { steps: 3, length: 6 },
  ];
  const [plain, staged] = [
    shardBatches(sources, options),
    shardBatches(sources, { ...options, curriculum }),
  ];
  for (const [step, shape] of [
    [0, [16, 3]],
    [1, [16, 3]],
    [2, [8, 6]],
    [4, [8, 6]],
    [5, [4, 12]],
  ] as const) {
    const batch = await staged.at(step);
    expect(batch.shape).toEqual(shape);
    expect(batch.examples.length).toBe(shape[0]);
    const { inputs, targets } = await plain.at(step);
    expect([batch.inputs, batch.targets]).toEqual([inputs, targets]);
  }
  expect(() =>
    shardBatches(sources, { ...options, curriculum: [{ steps: 1, length: 5 }] }),
  ).toThrow('curriculum stage 1: length is 5, expected a divisor of the 12 tokens of a window');
  expect(() => shardBatches([{ ...sources[0]!, end: 12 }], options)).toThrow(
    'a: has 12 tokens here, expected at least 13',
  );
});

test('what is measured on is whole windows, of each source by its weight', async () => {
  const batches = [];
  for await (const batch of wholeWindows(sources, { length: 12, rows: 5, tokens: 96 }))
    batches.push(batch);
  expect(batches.map(({ shape, inputs }) => [shape[0], inputs[0]])).toEqual([
    [2, 0],
    [5, 1000],
    [1, 1060],
  ]);
});
