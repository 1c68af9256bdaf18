import { cases, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { appendKeysValues } from '../decode-attention/append.js';
import { unpackHalves, wordsOf } from '../decode-attention/halves.js';
import { rotary } from '../rotary/index.js';
import { attendStep, type StepScoring } from './attend.js';

interface Case {
  heads: number;
  kvHeads: number;
  width: number;
  capacity: number;
  position: number;
  halves?: boolean;
  turn?: 'half-split' | 'interleaved';
  alibi?: boolean;
  softCap?: number;
  window?: number;
}

const tokens: Case[] = [
  { heads: 2, kvHeads: 2, width: 8, capacity: 7, position: 0 },
  { heads: 3, kvHeads: 3, width: 40, capacity: 64, position: 63, softCap: 3 },
  { heads: 4, kvHeads: 2, width: 8, capacity: 600, position: 512, turn: 'half-split' },
  { heads: 4, kvHeads: 1, width: 6, capacity: 300, position: 256, turn: 'interleaved' },
  { heads: 6, kvHeads: 2, width: 8, capacity: 300, position: 270, alibi: true, softCap: 3 },
  { heads: 10, kvHeads: 2, width: 5, capacity: 300, position: 100 },
  { heads: 2, kvHeads: 1, width: 256, capacity: 5, position: 4 },
  { heads: 3, kvHeads: 3, width: 7, capacity: 64, position: 33, alibi: true },
  { heads: 2, kvHeads: 1, width: 8, capacity: 600, position: 560, window: 270, alibi: true },
  { heads: 2, kvHeads: 2, width: 8, capacity: 64, position: 40, window: 1 },
  { heads: 4, kvHeads: 2, width: 8, capacity: 64, position: 20, halves: true, turn: 'half-split' },
  { heads: 2, kvHeads: 2, width: 7, capacity: 300, position: 299, halves: true },
];

for (const c of cases(tokens, (_, i) => [2, 4, 8, 10].includes(i))) {
  const { heads, kvHeads, width, capacity, position, halves = false, window } = c;
  test(`a token attends over the cache and is appended to it: ${JSON.stringify(c)}`, async () => {
    const qkv = gaussian([1, (heads + 2 * kvHeads) * width], 1) as tf.Tensor2D;
    const [q, k, v] = tf.split(qkv.reshape([heads + 2 * kvHeads, 1, width]), [
      heads,
      kvHeads,
      kvHeads,
    ]);
    const past = {
      k: gaussian([1, kvHeads, position, width], 2),
      v: gaussian([1, kvHeads, position, width], 3),
    };
    const cache = cacheOf(past, capacity, halves);
    const angles = gaussian([capacity, width >> 1], 4) as tf.Tensor2D;
    const turn = c.turn && { cos: tf.cos(angles), sin: tf.sin(angles), layout: c.turn };
    const turned = (x: tf.Tensor) =>
      turn
        ? rotary(
            x,
            turn.cos.slice([position, 0], [1, width >> 1]),
            turn.sin.slice([position, 0], [1, width >> 1]),
            turn.layout,
          )
        : x;
    const slopes = c.alibi ? (gaussian([heads], 5) as tf.Tensor1D) : undefined;
    const scoring: StepScoring = {
      heads,
      headDim: width,
      scale: 0.3,
      turn,
      slopes,
      softCap: c.softCap,
      window,
    };
    const state = tf.tensor2d([[position, 9, 0, 0]], [1, 4], 'int32');
    const actual = attendStep(qkv, cache, state, scoring);

    const all = (held: tf.Tensor, added: tf.Tensor) =>
      tf.concat([held.reshape([kvHeads, position, width]), added], 1);
    const repeated = (x: tf.Tensor) =>
      tf.tidy(() => {
        const [, length] = x.shape as [number, number];
        return x
          .expandDims(1)
          .tile([1, heads / kvHeads, 1, 1])
          .reshape([heads, length, width]);
      });
    const keys = all(past.k, turned(k!));
    const values = all(past.v, v!);
    const expected = tf.tidy(() => {
      let scores = tf.matMul(turned(q!), repeated(keys), false, true).mul(0.3); // [H, 1, T]
      const distance = tf.range(position, -1, -1);
      if (slopes) scores = scores.sub(slopes.reshape([heads, 1, 1]).mul(distance));
      if (c.softCap) scores = scores.div(c.softCap).tanh().mul(c.softCap);
      if (window) scores = tf.where(distance.less(window), scores, tf.fill(scores.shape, -1e9));
      return tf.matMul(tf.softmax(scores), repeated(values)).reshape([1, heads * width]);
    });
    await expectClose(actual, expected, { ratio: halves ? 2e-3 : 2e-5 });
    const kept = (x: tf.Tensor) =>
      (halves ? unpackHalves(x, width) : x)
        .slice([0, 0, 0, 0], [1, kvHeads, position + 1, width])
        .reshape([kvHeads, position + 1, width]);
    await expectClose(kept(cache.k), keys, { ratio: halves ? 1e-3 : 1e-6 });
    await expectClose(kept(cache.v), values, { ratio: halves ? 1e-3 : 1e-6 });
  });
}

/** A cache that holds some tokens; what lies behind them must not be read. */
function cacheOf(past: { k: tf.Tensor; v: tf.Tensor }, capacity: number, halves: boolean) {
  const [, kvHeads, position, width] = past.k.shape as [number, number, number, number];
  const cached = (x: tf.Tensor) =>
    tf.concat([x, tf.fill([1, kvHeads, capacity - position, width], Number.NaN)], 2);
  if (!halves) return { k: cached(past.k), v: cached(past.v) };
  const room = () => tf.fill([1, kvHeads, capacity, wordsOf(width)], 0x7e007e00, 'int32');
  const cache = { k: room(), v: room() };
  appendKeysValues(cache, past, { position: 0 });
  return cache;
}

/** The place and the position of each row; no place for a row without a sequence. */
type Places = readonly (readonly [place: number, position: number])[];

const rowsOfTokens: (Omit<Case, 'position'> & { places: Places })[] = [
  // Of one sequence, across two parts of the keys, as draft tokens are verified; and of others.
  {
    ...{ heads: 2, kvHeads: 1, width: 8, capacity: 600, turn: 'half-split' },
    places: [
      [1, 254],
      [1, 255],
      [-1, 0],
      [0, 599],
      [1, 256],
      [1, 257],
      [2, 0],
      [-1, 3],
    ],
  },
  // With a window that the new tokens fill.
  {
    ...{ heads: 3, kvHeads: 3, width: 7, capacity: 300, window: 2, alibi: true },
    places: [
      [0, 258],
      [1, 9],
      [0, 259],
      [1, 10],
      [0, 260],
    ],
  },
  {
    ...{ heads: 4, kvHeads: 2, width: 8, capacity: 64, halves: true },
    places: [
      [1, 5],
      [1, 6],
      [0, 0],
      [0, 1],
    ],
  },
];

for (const { places, halves = false, window, ...c } of cases(rowsOfTokens, (_, i) => i === 0)) {
  const { heads, kvHeads, width, capacity } = c;
  test(`rows attend to their sequences: ${JSON.stringify({ ...c, places, halves, window })}`, async () => {
    const batch = 3;
    const size = (heads + 2 * kvHeads) * width;
    const past = () => gaussian([batch, kvHeads, capacity, width], 2);
    const cacheOfAll = () => filled({ k: past(), v: past().mul(-1) }, halves);
    const angles = gaussian([capacity, width >> 1], 4) as tf.Tensor2D;
    const turn = c.turn && { cos: tf.cos(angles), sin: tf.sin(angles), layout: c.turn };
    const slopes = c.alibi ? (gaussian([heads], 5) as tf.Tensor1D) : undefined;
    const scoring: StepScoring = { heads, headDim: width, scale: 0.3, turn, slopes, window };
    const qkv = gaussian([places.length, size], 1) as tf.Tensor2D;
    const state = (rows: Places) =>
      tf.tensor2d(
        rows.map(([place, position]) => [position, 9, 0, place]),
        [rows.length, 4],
        'int32',
      );
    const together = cacheOfAll();
    const actual = attendStep(qkv, together, state(places), scoring);
    // One after the other, as the test of one token has it.
    const apart = cacheOfAll();
    const each = places.map((place, r) =>
      attendStep(qkv.slice([r, 0], [1, size]), apart, state([place]), scoring),
    );
    for (const [r, [place]] of places.entries()) {
      if (place < 0) continue;
      await expectClose(actual.slice([r, 0], [1, heads * width]), each[r]!, {
        ratio: halves ? 1e-3 : 2e-6,
      });
    }
    expect(await together.k.data()).toEqual(await apart.k.data());
    expect(await together.v.data()).toEqual(await apart.v.data());
  });
}

/** A cache that holds keys and values in all its places. */
function filled(held: { k: tf.Tensor; v: tf.Tensor }, halves: boolean) {
  if (!halves) return held;
  const [batch, kvHeads, capacity, width] = held.k.shape as [number, number, number, number];
  const room = () => tf.zeros([batch, kvHeads, capacity, wordsOf(width)], 'int32');
  const cache = { k: room(), v: room() };
  appendKeysValues(cache, held, { position: 0 });
  return cache;
}

test('heads and shapes that do not fit are refused', () => {
  const cache = { k: tf.zeros([1, 2, 4, 8]), v: tf.zeros([1, 2, 4, 8]) };
  const state = tf.tensor2d([[0, 0, 0, 0]], [1, 4], 'int32');
  const scoring = { heads: 3, headDim: 8, scale: 1 };
  expect(() => attendStep(tf.zeros([1, 56]), cache, state, scoring)).toThrow(
    'attendStep: 3 heads of queries and 2 of keys; expected a multiple',
  );
  expect(() => attendStep(tf.zeros([1, 56]), cache, state, { ...scoring, headDim: 300 })).toThrow(
    'attendStep: heads are 300 wide; expected at most 256',
  );
});
