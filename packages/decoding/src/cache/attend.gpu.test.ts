import { masks, scoreMod, scoreTable } from '@headwise/kernels';
import { cases, gaussian, readsOf } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import type { CacheAttentionOptions } from './attend.js';
import { KeyValueCache, type KeyValueCacheOptions } from './key-value-cache.js';

const [heads, width] = [4, 8];

/** What models add to scores while decoding, given the tokens so far. */
const scorings: Record<string, (tokens: number) => CacheAttentionOptions> = {
  'causal attention': () => ({ mask: masks.causal }),
  'ALiBi, as in BLOOM': () => ({
    mask: masks.causal,
    mods: [scoreMod((score, _b, h, q, k) => score.sub(q.sub(k).mul(h).toFloat().mul(0.1)))],
  }),
  'biases by distance, as in T5': () => {
    const biases = scoreTable(gaussian([heads, 128], 4));
    const mod = scoreMod((score, _b, h, q, k) => score.add(biases.at(h, q.sub(k))));
    return { mask: masks.causal, mods: [mod] };
  },
  'a sliding window, as in Mistral': () => ({
    mask: masks.and(masks.causal, masks.slidingWindow(100)),
  }),
  'padding on the left': (tokens) => ({
    mask: masks.and(masks.causal, masks.padding(tf.ones([2, tokens], 'int32'))),
  }),
  sinks: () => ({ mask: masks.causal, sinks: gaussian([heads], 5) as tf.Tensor1D }),
};

interface Kind {
  cache: KeyValueCacheOptions;
  scoring: string;
  /** The tokens of each of two sequences before those that are counted; default 140 each. */
  first?: number[];
}

const kinds: Record<string, Kind> = {
  ...Object.fromEntries(
    Object.keys(scorings).map((scoring) => [
      `${scoring} over a cache with room`,
      { cache: { capacity: 256 }, scoring },
    ]),
  ),
  'sequences of different lengths': {
    cache: { capacity: 256 },
    scoring: 'causal attention',
    first: [140, 90],
  },
  'a window that is full': { cache: { window: 70, sinks: 4 }, scoring: 'causal attention' },
  'ALiBi over a window that is full': { cache: { window: 70 }, scoring: 'ALiBi, as in BLOOM' },
  'windows, of which one is full': {
    cache: { window: 70, sinks: 4 },
    scoring: 'causal attention',
    first: [140, 40],
  },
  halves: { cache: { capacity: 256, storage: 'f16' }, scoring: 'causal attention' },
};

/** The kernels that append to a cache and attend over it where it lies. */
const inPlace = ['headwise/AppendKeysValues', 'headwise/DecodeAttention', 'headwise/Attention'];

/** Others of the same kinds of cache and of scores, whose programs are compiled for each. */
const alike = [
  'a sliding window, as in Mistral over a cache with room',
  'ALiBi over a window that is full',
  'windows, of which one is full',
];
const few = ([name]: [string, Kind]) => !alike.includes(name);

for (const [name, kind] of cases(Object.entries(kinds), few)) {
  const { cache: made, scoring, first = [140, 140] } = kind;
  test(`${name}: no byte of the cache is copied, for one new token or several`, async () => {
    const cache = new KeyValueCache(made);
    let length = 0;
    const attend = (count: number, lengths?: readonly number[]) => {
      const rows = (seed: number) => gaussian([2, heads, count, width], seed);
      const [q, k, v] = [rows(1), rows(2), rows(3)];
      length += count;
      return cache.attend('a', q, k, v, { ...scorings[scoring]!(length), lengths });
    };
    tf.tidy(() => void attend(140, first));
    // One as in decoding, a few as in speculation, and a piece of a prompt, whose halves are unpacked.
    for (const count of made.storage === 'f16' ? [1, 1, 5] : [1, 1, 5, 20]) {
      const before = tf.engine().state.numBytes;
      const { kernels, copied } = await readsOf(
        () => Object.values(cache.rowsOf('a')),
        () => tf.tidy(() => void attend(count)),
      );
      expect(copied).toBe(0);
      expect(kernels.filter((kernel) => !inPlace.includes(kernel))).toEqual([]);
      expect(new Set(kernels).size).toBe(2);
      // The places of sequences of different lengths are kept for the other layers of a pass.
      expect(tf.engine().state.numBytes - before).toBeLessThanOrEqual(16);
    }
    cache.dispose();
  });
}

test('what copies a cache is seen', async () => {
  const cache = new KeyValueCache({ capacity: 64 });
  const x = gaussian([2, 1, 5, 4], 1);
  cache.attend('a', x, x, x).dispose();
  const { k } = cache.rowsOf('a');
  const { kernels } = await readsOf(
    () => [k],
    () => tf.tidy(() => void k.slice([0, 0, 0, 0], [2, 1, 5, 4])),
  );
  expect(kernels.length).toBe(1);
  expect(inPlace).not.toContain(kernels[0]);
  const onPattern = (weights: tf.Tensor) => weights;
  const tapped = await readsOf(
    () => [k],
    () => tf.tidy(() => void cache.attend('a', x, x, x, { shown: () => ({ onPattern }) })),
  );
  expect(tapped.kernels.some((kernel) => !inPlace.includes(kernel))).toBe(true);
  cache.dispose();
});
