import { masks } from '@headwise/kernels';
import { attentionReference } from '@headwise/kernels/internal';
import {
  describeBackends,
  expectClose,
  expectNoLeak,
  gaussian,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test, vi } from 'vitest';
import type { CacheAttentionOptions } from './attend.js';
import { KeyValueCache, type KeyValueCacheOptions } from './key-value-cache.js';

const scale = 0.3;

interface Batch {
  q: tf.Tensor;
  k: tf.Tensor;
  v: tf.Tensor;
}

function batch(sequences: number, [heads, kvHeads]: readonly [number, number], tokens: number) {
  return {
    q: gaussian([sequences, heads, tokens, 7], 1),
    k: gaussian([sequences, kvHeads, tokens, 7], 2),
    v: gaussian([sequences, kvHeads, tokens, 7], 3),
  };
}

const part = (x: tf.Tensor, sequence: number, start: number, count: number) =>
  x.slice([sequence, 0, start, 0], [1, x.shape[1]!, count, 7]);

/** All tokens of one sequence at once; `visible`: whether a query sees a key. */
function uncached({ q, k, v }: Batch, visible = (_query: number, _key: number) => true): tf.Tensor {
  const tokens = q.shape[2]!;
  const hidden = Array.from({ length: tokens }, (_, i) =>
    Array.from({ length: tokens }, (_, j) => (j <= i && visible(i, j) ? 0 : -1e30)),
  );
  const onScores = (scores: tf.Tensor) => scores.add(tf.tensor2d(hidden));
  return attentionReference(q, k, v, { mask: masks.none, scale, onScores });
}

/** The same in pieces of some tokens each. */
function inPieces(
  { q, k, v }: Batch,
  pieces: readonly number[],
  cache: KeyValueCache,
  also: CacheAttentionOptions = {},
): tf.Tensor {
  let start = 0;
  const outputs = pieces.map((count) => {
    const piece = (x: tf.Tensor) => x.slice([0, 0, start, 0], [x.shape[0]!, x.shape[1]!, count, 7]);
    const options = { mask: masks.causal, scale, ...also };
    const y = cache.attend('a', piece(q), piece(k), piece(v), options);
    start += count;
    return y;
  });
  return tf.concat(outputs, 2);
}

describeBackends('cache.attend', () => {
  const options: [string, KeyValueCacheOptions][] = [
    ['that grows', {}],
    ['with room', { capacity: 150 }],
  ];
  for (const [name, made] of options) {
    for (const heads of [
      [4, 4],
      [4, 2],
      [4, 1],
    ] as const) {
      test(`with a cache ${name} equals one pass, heads ${heads.join('/')}`, async () => {
        const whole = batch(2, heads, 150);
        const expected = uncached(whole);
        for (const pieces of [
          [1, ...Array<number>(19).fill(1), 130],
          [63, 1, 1, 2, 9, 8, 66],
        ]) {
          const cache = new KeyValueCache(made);
          await poisonMemory([
            [2, heads[1], 64, 7],
            [2, heads[1], 150, 7],
          ]);
          await expectClose(inPieces(whole, pieces, cache), expected);
          expect(cache.length).toBe(150);
          cache.dispose();
        }
      });
    }
  }

  test('keeps a window and the first tokens', async () => {
    const window = 9;
    const whole = batch(2, [4, 2], 50);
    for (const sinks of [0, 3]) {
      const expected = uncached(whole, (i, j) => j < sinks || j > i - window);
      for (const pieces of [[50], Array<number>(50).fill(1), [5, 1, 1, 12, 1, 2, 3, 25]]) {
        const cache = new KeyValueCache({ window, sinks });
        await poisonMemory([[2, 2, window + sinks, 7]]);
        await expectClose(inPieces(whole, pieces, cache), expected);
        expect(cache.length).toBe(50);
        cache.dispose();
      }
    }
  });

  for (const made of [{}, { window: 20, sinks: 2 }]) {
    const { window } = made as KeyValueCacheOptions;
    const name = window ? 'with a window' : 'all of it';
    test(`sequences of different lengths, ${name}, go on as each would alone`, async () => {
      const counts = [
        [4, 11, 0],
        [3, 12, 9],
        [1, 1, 1],
        [1, 0, 1],
        [12, 5, 3],
        [1, 1, 1],
      ];
      const whole = batch(3, [4, 2], 40);
      const cache = new KeyValueCache(made);
      const starts = [0, 0, 0];
      const outputs: tf.Tensor[][] = [[], [], []];
      for (const lengths of counts) {
        const most = Math.max(...lengths);
        // Padding behind the tokens: what it holds must not matter.
        const padded = (x: tf.Tensor) =>
          tf.concat(
            lengths.map((n, b) =>
              tf.concat([part(x, b, starts[b]!, n), tf.fill([1, x.shape[1]!, most - n, 7], 99)], 2),
            ),
          );
        const [q, k, v] = [whole.q, whole.k, whole.v].map(padded) as [
          tf.Tensor,
          tf.Tensor,
          tf.Tensor,
        ];
        const y = cache.attend('a', q, k, v, { mask: masks.causal, scale, lengths });
        for (const [b, n] of lengths.entries()) {
          outputs[b]!.push(part(y, b, 0, n));
          starts[b]! += n;
        }
        expect(cache.starts).toEqual(starts);
      }
      for (const [b, n] of starts.entries()) {
        const alone = {
          q: part(whole.q, b, 0, n),
          k: part(whole.k, b, 0, n),
          v: part(whole.v, b, 0, n),
        };
        const seen = (i: number, j: number) => !window || j < 2 || j > i - window;
        await expectClose(tf.concat(outputs[b]!, 2), uncached(alone, seen));
      }
      cache.dispose();
    });
  }

  for (const made of [{}, { window: 20, sinks: 2 }]) {
    const { window } = made as KeyValueCacheOptions;
    test(`keeps halves, ${window ? 'in a window' : 'all of them'}`, async () => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      const whole = batch(2, [4, 2], 100);
      const expected = uncached(whole, (i, j) => !window || j < 2 || j > i - window);
      const f32 = new KeyValueCache(made);
      const f16 = new KeyValueCache({ ...made, storage: 'f16' });
      for (const pieces of [
        [60, 1, 1, 9, 1, 28],
        [5, ...Array<number>(30).fill(1), 65],
      ]) {
        for (const cache of [f32, f16]) {
          const y = inPieces(whole, pieces, cache);
          await expectClose(y, expected, { ratio: cache === f16 ? 1e-3 : 2e-6 });
          if (!window) cache.trim(0);
        }
        if (window) break;
      }
      if (!window) {
        // Beams: what was kept goes on from another sequence.
        const [first, rest] = [0, 70].map((from) =>
          [whole.q, whole.k, whole.v].map((x) =>
            x.slice([0, 0, from, 0], [2, x.shape[1]!, from === 0 ? 70 : 30, 7]),
          ),
        ) as [tf.Tensor[], tf.Tensor[]];
        const piece = ([q, k, v]: tf.Tensor[]) =>
          inPieces({ q: q!, k: k!, v: v! }, [q!.shape[2]!], f16);
        piece(first);
        f16.reorder([1, 0]);
        const swapped = (x: tf.Tensor) => x.reverse(0);
        await expectClose(
          piece(rest.map(swapped)),
          swapped(expected.slice([0, 0, 70, 0], [2, 4, 30, 7])),
          { ratio: 1e-3 },
        );
      }
      for (const cache of [f32, f16]) cache.dispose();
      warn.mockRestore();
    });
  }

  test('trims, and lets sequences go on from others', async () => {
    const whole = batch(2, [2, 2], 12);
    const cache = new KeyValueCache();
    inPieces(whole, [10, 1], cache);
    cache.trim(5);
    cache.reorder([1, 1, 0]);
    const taken = (x: tf.Tensor) => x.gather(tf.tensor1d([1, 1, 0], 'int32'));
    const again = { q: taken(whole.q), k: taken(whole.k), v: taken(whole.v) };
    const from = (x: tf.Tensor, start: number, count: number) =>
      x.slice([0, 0, start, 0], [3, 2, count, 7]);
    const rest = {
      q: from(again.q, 5, 7),
      k: from(again.k, 5, 7),
      v: from(again.v, 5, 7),
    };
    await expectClose(inPieces(rest, [1, 2, 4], cache), from(uncached(again), 5, 7));
    cache.dispose();
  });

  for (const made of [{}, { storage: 'f16' }, { window: 6, sinks: 2 }] as const) {
    test(`takes in the sequences of another cache, ${JSON.stringify(made)}`, async () => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      const whole = batch(3, [4, 2], 90);
      const window = 'window' in made ? made.window : 90;
      const expected = uncached(whole, (i, j) => j < 2 || j > i - window);
      const of = (sequence: number, start: number, count: number): Batch => ({
        q: part(whole.q, sequence, start, count),
        k: part(whole.k, sequence, start, count),
        v: part(whole.v, sequence, start, count),
      });
      // One has outgrown its first room, and its window; the others join it one after the other.
      const seen = [80, 3, 9];
      const [cache, ...others] = seen.map((count, sequence) => {
        const own = new KeyValueCache(made);
        inPieces(of(sequence, 0, count), [count], own);
        return own;
      });
      for (const other of others) cache!.join(other);
      expect(cache!.starts).toEqual(seen);
      for (let t = 0; t < 10; t++) {
        const next = seen.map((count, sequence) => of(sequence, count + t, 1));
        const all = (which: 'q' | 'k' | 'v') => tf.concat(next.map((one) => one[which]));
        const y = inPieces({ q: all('q'), k: all('k'), v: all('v') }, [1], cache!);
        const rows = seen.map((count, sequence) => part(expected, sequence, count + t, 1));
        await expectClose(y, tf.concat(rows), { ratio: 'storage' in made ? 1e-3 : 2e-6 });
      }
      expect(() => cache!.join(others[0]!)).toThrow('used after it was disposed');
      const other = new KeyValueCache({ window: 3 });
      expect(() => cache!.join(other)).toThrow('KeyValueCache: join takes a cache of storage f32');
      cache!.dispose();
      other.dispose();
      warn.mockRestore();
    });
  }

  test('shows the pattern over old and new tokens', async () => {
    const whole = batch(1, [2, 2], 6);
    const cache = new KeyValueCache();
    const shapes: number[][] = [];
    const onPattern = (weights: tf.Tensor) => {
      shapes.push(weights.shape);
      return weights;
    };
    await expectClose(
      inPieces(whole, [4, 1, 1], cache, { shown: () => ({ onPattern }) }),
      uncached(whole),
    );
    expect(shapes).toEqual([
      [1, 2, 4, 4],
      [1, 2, 1, 5],
      [1, 2, 1, 6],
    ]);
    cache.dispose();
  });

  test('leaves no tensor behind', async () => {
    const whole = batch(2, [2, 1], 70);
    await expectNoLeak(() => {
      for (const made of [{}, { window: 8, sinks: 1 }]) {
        const cache = new KeyValueCache(made);
        tf.tidy(() => void inPieces(whole, [3, 1, 66], cache));
        tf.tidy(() => void inPieces(whole, [2, 1], cache, { lengths: [1, 1] }));
        cache.reorder([1, 0]);
        const other = new KeyValueCache(made);
        tf.tidy(() => void inPieces(whole, [4], other));
        cache.join(other);
        cache.dispose();
      }
    });
  });

  test('what a cache cannot do is named', () => {
    const { q, k, v } = batch(1, [2, 2], 9);
    const cache = new KeyValueCache({ window: 4 });
    const given = { mask: masks.causal };
    cache.attend('a', q, k, v, given);
    const term = { inputs: [], values: (pattern: tf.Tensor) => pattern };
    expect(() => cache.attend('a', q, k, v, { ...given, term })).toThrow(
      "cache of 'a': a score or a position that reads weights by their tokens, over a window that tokens have left; expected a cache of whole sequences, of one length",
    );
    const two = batch(2, [2, 2], 1);
    expect(() => cache.attend('a', two.q, two.k, two.v, given)).toThrow(
      "cache of 'a': k has shape [2, 2, 1, 7]; expected [1, 2, T, 7]",
    );
    expect(() => cache.attend('a', part(q, 0, 0, 3), k, v, given)).toThrow(
      "cache of 'a': q has shape [1, 2, 3, 7]; expected [1, H, 9, 7]",
    );
    expect(cache.lengthOf('a')).toBe(9);
    cache.dispose();
    expect(() => cache.attend('a', q, k, v, given)).toThrow(
      "cache of 'a': used after it was disposed",
    );
  });
});
