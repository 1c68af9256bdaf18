import { cases, gaussian, poisonMemory, recordedBy } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { layouts } from '../attention/heads.cases.js';
import { Heads } from '../attention/heads.js';
import type { RotaryTables } from '../rotary/tables.js';
import { appendKeysValues, type KeysValues } from './append.js';
import { wordsOf } from './halves.js';
import { type DecodeAttentionOptions, decodeAttentionOfHeads } from './index.js';

interface Kind {
  heads: readonly [heads: number, kvHeads: number];
  tokens: number;
  width: number;
  halves?: boolean;
  /** Sequences of different lengths, with padding behind the shorter one. */
  ragged?: boolean;
  turn?: RotaryTables['layout'];
  ring?: boolean;
}

const kinds: readonly Kind[] = [
  { heads: [4, 2], tokens: 3, width: 40, turn: 'half-split', ragged: true },
  { heads: [6, 1], tokens: 8, width: 7, halves: true },
  { heads: [2, 2], tokens: 1, width: 64, ring: true },
  { heads: [6, 2], tokens: 5, width: 7, turn: 'interleaved' },
  { heads: [4, 2], tokens: 19, width: 8, ragged: true },
  { heads: [2, 1], tokens: 2, width: 66, halves: true, turn: 'half-split', ragged: true },
];
const nameOf = ({ heads, tokens, width, ...kind }: Kind) =>
  `${tokens} tokens, heads ${heads.join('/')} of ${width}${Object.entries(kind).map(([name, of]) => `, ${of === true ? name : of}`)}`;

const bits = async (x: tf.Tensor) => new Uint32Array((await x.data()).slice().buffer);

/** Appends to a cache that holds some tokens, and attends over it; the bits of the cache and of what is attended. */
async function attended(
  { heads, width, halves, ragged, turn: layout, ring }: Kind,
  q: Heads,
  added: KeysValues<Heads>,
): Promise<Uint32Array[]> {
  const tokens = q.shape[2];
  const before = 21;
  const window = ring ? { sinks: 2, size: 9 } : undefined;
  const room = window ? window.sinks + window.size : before + tokens + 5;
  const values = [5, 6].map((seed) => gaussian([2, heads[1], room, width], seed));
  const [k, v] = values.map((x) =>
    halves ? tf.fill([2, heads[1], room, wordsOf(width)], 0x3c003800, 'int32') : x,
  ) as [tf.Tensor, tf.Tensor];
  const counts = ragged ? [tokens, Math.max(1, tokens - 2)] : [tokens, tokens];
  const places = tf.tensor2d(
    counts.map((n) => [before + n, n]),
    [2, 2],
    'int32',
  );
  const angles = gaussian([tokens, Math.floor(width / 2)], 7).mul(3);
  const turn = layout && { cos: angles.cos(), sin: angles.sin(), layout };
  const given = { turn, ring: window, ...(ragged ? { places } : {}) };
  appendKeysValues({ k, v }, added, { position: before, ...given });
  const options: DecodeAttentionOptions = { length: before + tokens, scale: 0.5, ...given };
  const y = tf.tidy(() => decodeAttentionOfHeads(q, k, v, options).headsFirst());
  // Values of padding have no meaning.
  const real = counts.map((n, b) => y.slice([b, 0, 0, 0], [1, heads[0], n, width]));
  return Promise.all([k, v, ...real].map(bits));
}

const pairs = kinds.flatMap((kind, i) =>
  Object.keys(layouts).map((name, j) => ({ kind, name, few: i % 4 === j })),
);
for (const { kind, name } of cases(pairs, ({ few }) => few)) {
  test(`${name}: ${nameOf(kind)}: cache and attention have the bits of tensors [B, H, T, Dh]`, async () => {
    const { heads, tokens, width } = kind;
    const [n, m] = heads;
    const [q, k, v] = [n, m, m].map((count, i) => gaussian([2, count, tokens, width], i + 1)) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const plain = await attended(kind, Heads.of(q), { k: Heads.of(k), v: Heads.of(v) });
    const { tensors, heads: of } = layouts[name]!;
    const [ofQ, ofK, ofV] = of(tensors(q, k, v), n, m);
    const strided = () => attended(kind, ofQ, { k: ofK, v: ofV });
    await poisonMemory([q.shape, k.shape]);
    const found = await strided();
    expect(found).toEqual(plain);
    expect(await strided()).toEqual(found);
  });
}

test('new tokens of one tensor are appended and attended to in three dispatches', async () => {
  const qkv = gaussian([1, 3, 6, 8], 1);
  const [q, k, v] = [0, 2, 4].map((first) => Heads.ofTokens(qkv, first, 2)) as [
    Heads,
    Heads,
    Heads,
  ];
  const cache = { k: tf.zeros([1, 2, 16, 8]), v: tf.zeros([1, 2, 16, 8]) };
  const run = () => {
    appendKeysValues(cache, { k, v }, { position: 4 });
    tf.tidy(() => void decodeAttentionOfHeads(q, cache.k, cache.v, { length: 7 }));
  };
  const { programs } = await recordedBy(run);
  expect(programs).toEqual([
    'headwise/AppendKeysValues',
    'headwise/DecodeAttention',
    'headwise/DecodeAttentionJoin',
  ]);
});
