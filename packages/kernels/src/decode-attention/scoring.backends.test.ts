import { cases, describeBackends, expectClose, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { scoreTable } from '../attention/expression/table.js';
import { dense } from '../attention/masks/dense.js';
import { and, type Mask, none, visible } from '../attention/masks/mask.js';
import { causal, slidingWindow } from '../attention/masks/order.js';
import { documents, padding } from '../attention/masks/tokens.js';
import { type ScoreMod, scoreMod } from '../attention/mods.js';
import { attentionReference } from '../attention/reference.js';
import { decodeAttention } from './index.js';
import { type Ring, tokenIn } from './ring.js';

const batch = 2;
const heads = 4;
const width = 12;
const length = 70;

interface Scored {
  mask?: Mask;
  mods?: readonly ScoreMod[];
  sinks?: tf.Tensor;
}

const alibi = () => {
  const slopes = scoreTable(tf.tensor1d([0.5, 0.25, 0.125, 0.0625]));
  return scoreMod((score, _b, h, q, k) => score.sub(slopes.at(h).mul(q.sub(k).toFloat())));
};
const biases = () => {
  const of = scoreTable(gaussian([heads, 32], 8));
  return scoreMod((score, _b, h, q, k) => score.add(of.at(h, q.sub(k).div(3))));
};
const softCap = scoreMod((score) => score.div(2).tanh().mul(2));

/** Tokens of a sequence with holes, 1 and 0; no query is left without a key. */
const tokens = (b: number) => Array.from({ length }, (_, t) => Number(t % 7 !== b || t > 60));

const kinds: Record<string, () => Scored> = {
  ALiBi: () => ({ mods: [alibi()] }),
  'biases by distance, and a soft-cap': () => ({ mods: [biases(), softCap] }),
  sinks: () => ({ sinks: gaussian([heads], 7) }),
  'padding anywhere, and ALiBi': () => ({
    mask: and(causal, padding(tf.tensor2d([tokens(1), tokens(2)], [batch, length], 'int32'))),
    mods: [alibi()],
  }),
  'a sliding window': () => ({ mask: and(causal, slidingWindow(9)) }),
  'documents, strided': () => ({
    mask: and(
      documents(tf.tensor2d([tokens(1), tokens(2)], [batch, length], 'int32')),
      visible((_b, _h, q, k) => q.sub(k).mod(3).equal(0)),
    ),
  }),
};

/** The score of a token in the whole sequence is that of the token in the cache. */
describeBackends('decodeAttention scores tokens at their positions', () => {
  const caches: [string, Ring | undefined, readonly number[], number][] = [
    ['a cache', undefined, [length, length], 1],
    ['a cache, three queries', undefined, [length, length], 3],
    ['sequences of different lengths', undefined, [length, 41], 2],
    ['a window that is full', { sinks: 3, size: 20 }, [length, length], 1],
    ['windows of different lengths', { sinks: 2, size: 48 }, [length, 13], 1],
  ];
  const pairs = caches.flatMap((cache, i) =>
    Object.entries(kinds).map(([kind, make], j) => ({ cache, kind, make, diagonal: i === j % 5 })),
  );
  // A program is compiled for each: each kind of cache and each of scores once.
  for (const { cache, kind, make } of cases(pairs, ({ diagonal }) => diagonal)) {
    const [name, ring, ends, queries] = cache;
    test(`${name}: ${kind}`, async () => {
      const { mask = causal, mods, sinks } = make();
      const q = gaussian([batch, heads, queries, width], 1);
      const [k, v] = [2, 3].map((seed) => gaussian([batch, 2, length, width], seed)) as [
        tf.Tensor,
        tf.Tensor,
      ];
      const room = ring ? ring.sinks + ring.size : length + 5;
      const kept = (x: tf.Tensor) =>
        tf.stack(
          ends.map((end, b) => {
            const places = Array.from({ length: room }, (_, place) => tokenIn(place, end, ring));
            const rows = tf.gather(
              x.gather(b),
              tf.tensor1d(
                places.map((t) => Math.max(t, 0)),
                'int32',
              ),
              1,
            );
            // What is in a place without a token must not matter; plain operations may multiply it by 0.
            const unused = tf.getBackend() === 'cpu' ? 1000 : Number.NaN;
            const empty = tf.tensor(
              places.map((t) => (t < 0 ? unused : 0)),
              [1, room, 1],
            );
            return rows.add(empty);
          }),
        );
      const level = ends.every((end) => end === ends[0]);
      const places = tf.tensor2d(
        ends.flatMap((end) => [end, queries]),
        [batch, 2],
        'int32',
      );
      await poisonMemory([q.shape]);
      const y = decodeAttention(q, kept(k), kept(v), {
        length,
        ring,
        mask,
        mods,
        sinks,
        ...(level ? {} : { places }),
      });
      for (const [b, end] of ends.entries()) {
        const { mask: whole = causal, mods: also } = make();
        const inWindow = ring
          ? and(
              whole,
              visible((_b, _h, q, k) => k.less(ring.sinks).or(k.greater(q.sub(ring.size)))),
            )
          : whole;
        // The sequence with as many queries as tokens, whose last ones are those of the cache.
        const padded = tf.concat([tf.zeros([batch, heads, end - queries, width]), q], 2);
        const upTo = (x: tf.Tensor) => x.slice([0, 0, 0, 0], [batch, 2, end, width]);
        const all = attentionReference(padded, upTo(k), upTo(v), {
          mask: inWindow,
          mods: also,
          sinks,
          scale: 1 / Math.sqrt(width),
        });
        const one = (x: tf.Tensor, from: number) =>
          x.slice([b, 0, from, 0], [1, heads, queries, width]);
        await expectClose(one(y, 0), one(all, end - queries));
      }
    });
  }

  test('a dense mask, with as many rows as queries', async () => {
    const q = gaussian([batch, heads, 2, width], 1);
    const k = gaussian([batch, 2, length + 4, width], 2);
    const mask = dense(gaussian([1, 1, 2, length], 5));
    const used = k.slice([0, 0, 0, 0], [batch, 2, length, width]);
    await expectClose(
      decodeAttention(q, k, k, { length, mask, scale: 1 }),
      attentionReference(q, used, used, { mask, scale: 1 }),
    );
  });

  test('what does not fit is named', () => {
    const [q, k] = [tf.zeros([1, 2, 1, 4]), tf.zeros([1, 2, 9, 4])];
    const given = (options: object) => () => decodeAttention(q, k, k, { length: 9, ...options });
    expect(given({ mask: padding(tf.ones([1, 8], 'int32')) })).toThrow(
      'mask padding: tokens has shape [1, 8]; expected [1, 9]',
    );
    expect(given({ ring: { sinks: 1, size: 9 } })).toThrow(
      'decodeAttention: a window of 9 with 1 sinks in a cache for 9; expected their sum',
    );
    expect(given({ sinks: tf.zeros([3]) })).toThrow('decodeAttention: sinks has shape [3]');
    expect(given({ mask: 'causal' })).toThrow("decodeAttention: mask is 'causal'");
    expect(() => decodeAttention(q, k, k, { length: 9, mask: none })).not.toThrow();
  });
});
