import { readTensor } from '@headwise/core';
import { cases, describeBackends, expectNoLeak, gaussian, inBrowser } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import golden from '../goldens/sampling.json' with { type: 'json' };
import { sampleRows, sampleTokens } from './index.js';
import { checkedSampling, type SamplingOptions } from './options.js';
import { candidatesOfRow, drawCandidate, samplingCandidates } from './reference.js';

const choices: SamplingOptions[] = [
  {},
  { temperature: 0 },
  { temperature: 0.6 },
  { topK: 1 },
  { topK: 5 },
  { topP: 0.5 },
  { topP: 0.99, temperature: 1.7 },
  { minP: 0.05 },
  { topK: 40, topP: 0.9, minP: 0.02, temperature: 0.8 },
  { repetitionPenalty: 1.3, topK: 20 },
  { frequencyPenalty: 0.4, presencePenalty: 0.6 },
  { repetitionPenalty: 0.7, frequencyPenalty: 0.1, topP: 0.8, temperature: 0 },
  { topNSigma: 1.3, temperature: 1.5 },
  { typicalP: 0.3 },
  { typicalP: 0.9, topK: 30, temperature: 1.2 },
  { epsilonCutoff: 0.01, topP: 0.9 },
  { epsilonCutoff: 0.9 },
  { etaCutoff: 0.05, temperature: 1.4 },
  {
    topNSigma: 2,
    topK: 40,
    topP: 0.95,
    minP: 0.01,
    typicalP: 0.8,
    epsilonCutoff: 0.01,
    etaCutoff: 0.02,
  },
];

describeBackends('sampleTokens', () => {
  const vocabularies = [1, 3, 63, 64, 65, 127, 257, 513, 5003];
  for (const vocabulary of cases(
    vocabularies,
    (n) => n === 513 || (!inBrowser && [1, 65, 5003].includes(n)),
  )) {
    test(`sampleTokens from ${vocabulary} tokens draws what the reference draws`, async () => {
      const rows = 5;
      const logits = gaussian([rows, vocabulary], vocabulary).mul<tf.Tensor2D>(3);
      const scores = await logits.data();
      const past = Int32Array.from({ length: rows * 7 }, (_, i) =>
        i % 6 === 0 ? -1 : (i * i) % vocabulary,
      );
      const history = tf.tensor2d(past, [rows, 7], 'int32');
      // Every other choice bans tokens, but never all: 0 stays.
      const listed = past.map((id) => (id % 3 === 1 ? id : -1));
      const bannedIds = tf.tensor2d(listed, [rows, 7], 'int32');
      for (const [seed, options] of choices.entries()) {
        const banned = seed % 2 === 1 ? bannedIds : undefined;
        const ids = await sampleTokens(logits, options, seed, { history, banned }).data();
        const expected = Array.from({ length: rows }, (_, row) => {
          const own = scores.slice(row * vocabulary, (row + 1) * vocabulary);
          const [before, without] = [past, listed].map((all) => all.slice(row * 7, (row + 1) * 7));
          const kept = banned ? without : [];
          return drawCandidate(samplingCandidates(own, options, before, kept), seed, row);
        });
        expect([...ids], JSON.stringify(options)).toEqual(expected);
        for (const [row, id] of banned ? ids.entries() : []) {
          expect(listed.slice(row * 7, (row + 1) * 7)).not.toContain(id);
        }
      }
    });
  }

  test('biases, a source and raised scores change what is drawn as in the reference', async () => {
    const [rows, vocabulary] = [3, 65];
    const logits = gaussian([rows, vocabulary], 5).mul<tf.Tensor2D>(2);
    const scores = await logits.data();
    const idsOf = (step: number) =>
      Int32Array.from({ length: rows * 4 }, (_, i) => (i === 5 ? -1 : (i * step) % vocabulary));
    const [history, source, banned, raised] = [3, 7, 11, 5].map(idsOf) as [
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
    ];
    const listed = (ids: Int32Array) => tf.tensor2d(ids, [rows, 4], 'int32');
    const options = { encoderRepetitionPenalty: 1.8, repetitionPenalty: 1.3, presencePenalty: 0.2 };
    for (const biases of [1, rows]) {
      const bias = gaussian([biases, vocabulary], 6 + biases) as tf.Tensor2D;
      const added = await bias.data();
      const given = { history, source, banned, raised };
      const tensors = Object.fromEntries(
        Object.entries(given).map(([name, ids]) => [name, listed(ids)]),
      );
      for (let seed = 0; seed < 8; seed++) {
        const ids = sampleTokens(logits, options, seed, { ...tensors, bias, raise: 0.4 });
        const expected = Array.from({ length: rows }, (_, row) => {
          const part = (ids: Int32Array) => ids.slice(row * 4, row * 4 + 4);
          const place = biases === 1 ? 0 : row * vocabulary;
          const tokens = {
            history: part(history),
            source: part(source),
            banned: part(banned),
            bias: added.slice(place, place + vocabulary),
            raised: { ids: part(raised), factor: 0.4 },
          };
          const own = scores.slice(row * vocabulary, (row + 1) * vocabulary);
          const candidates = candidatesOfRow('test', row, own, checkedSampling(options), tokens);
          return drawCandidate(candidates, seed, row);
        });
        expect([...(await ids.data())]).toEqual(expected);
      }
    }
  });

  for (const vocabulary of cases([31, 65, 513], (n) => n === 65)) {
    test(`only allowed tokens of ${vocabulary} are drawn, one mask for each row or for all`, async () => {
      const rows = 3;
      const words = Math.ceil(vocabulary / 32);
      const logits = gaussian([rows, vocabulary], 3).mul<tf.Tensor2D>(2);
      const scores = await logits.data();
      const bias = gaussian([1, vocabulary], 4) as tf.Tensor2D;
      const added = await bias.data();
      const history = tf.tensor2d([1, 2, 30, 4, 5, 30, 7, 8, 30], [rows, 3], 'int32');
      const past = await history.data();
      for (const masks of [1, rows]) {
        // The last token that is allowed has the sign bit of its word.
        const bits = Int32Array.from({ length: masks * words }, (_, i) => 0x40000041 << (i % 2));
        const allowed = tf.tensor2d(bits, [masks, words], 'int32');
        for (const [n, options] of choices.slice(0, 11).entries()) {
          const tokens = n % 2 === 0 ? { allowed } : { allowed, history, bias };
          const ids = await sampleTokens(logits, options, n, tokens).data();
          const expected = Array.from({ length: rows }, (_, row) => {
            const own = scores.slice(row * vocabulary, (row + 1) * vocabulary);
            const place = masks === 1 ? 0 : row * words;
            const candidates = candidatesOfRow('test', row, own, checkedSampling(options), {
              history: 'history' in tokens ? past.slice(3 * row, 3 * row + 3) : [],
              bias: 'bias' in tokens ? added : undefined,
              allowed: bits.slice(place, place + words),
            });
            return drawCandidate(candidates, n, row);
          });
          expect([...ids], JSON.stringify(options)).toEqual(expected);
          for (const [row, id] of ids.entries()) {
            const word = bits[(masks === 1 ? 0 : row * words) + (id >> 5)]!;
            expect((word >>> (id & 31)) & 1).toBe(1);
          }
        }
      }
      const none = tf.zeros<tf.Rank.R2>([1, words], 'int32');
      const drawn = async () => readTensor(sampleTokens(logits, {}, 1, { allowed: none }));
      await expect(drawn()).rejects.toThrow(`all ${vocabulary} scores of row 0 are −∞`);
      expect(() => sampleTokens(logits, {}, 1, { allowed: bias })).toThrow('sampleTokens: allowed');
    });
  }

  test('rows with seeds of their own draw as each would alone', async () => {
    const logits = gaussian([5, 301], 8);
    const seeds = [3, 2 ** 40 + 3, 3, 0, 7];
    const allowed = tf.fill([5, 10], -2, 'int32') as tf.Tensor2D;
    const history = tf.tensor2d([5, 9, 5, -1, 0], [5, 1], 'int32');
    const options = { topK: 200, repetitionPenalty: 1.2 };
    const draw = (row: number, count: number, seed: number | readonly number[]) => {
      const part = <T extends tf.Tensor2D>(x: T) => x.slice([row, 0], [count, -1]) as T;
      const tokens = { allowed: part(allowed), history: part(history) };
      return sampleRows(part(logits as tf.Tensor2D), options, seed, tokens).data();
    };
    const alone = await Promise.all(seeds.map((seed, row) => draw(row, 1, seed)));
    expect([...(await draw(0, 5, seeds))]).toEqual(alone.map(([id]) => id));
    expect(new Set(alone.map(([id]) => id)).size).toBeGreaterThan(2);
  });

  test('equal scores are kept and taken in the order of the vocabulary', async () => {
    const logits = tf.ones<tf.Rank.R2>([200, 700]);
    expect(new Set(await sampleTokens(logits, { temperature: 0 }, 1).data())).toEqual(new Set([0]));
    const tied = new Set(await sampleTokens(logits, { topK: 3 }, 1).data());
    expect(tied.size).toBeGreaterThan(140);
    const nucleus = new Set(await sampleTokens(logits, { topP: 3.5 / 700 }, 1).data());
    expect(nucleus).toEqual(new Set([0, 1, 2, 3]));
  });

  for (const { options, scores, probabilities } of cases(golden.cases.slice(-20), (_, i) =>
    (inBrowser ? [8] : [0, 8, 10, 16, 17, 19]).includes(i),
  )) {
    test(`${JSON.stringify(options)} of ${scores.length} draws all and only what Hugging Face's keeps`, async () => {
      const logits = tf.tidy(() => tf.tile(tf.tensor2d([scores]), [600, 1]));
      const drawn = [...new Set(await sampleTokens(logits, options, 5).data())].sort();
      expect(drawn).toEqual(probabilities.flatMap((p, id) => (p > 0 ? [id] : [])));
    });
  }

  test('no temperature takes scores out of range', async () => {
    const logits = tf.tensor2d([
      [1, 3e38, -3e38, 2.9e38],
      [-5, -3, -9, -4],
      [0, 1e-30, 0, -1],
    ]);
    for (const temperature of [1e-45, 1e-40, 1e-38, 1e-35, 1e-20]) {
      const ids = await sampleTokens(logits, { temperature }, 3).data();
      expect([...ids.slice(0, 2)], `${temperature}`).toEqual([1, 1]);
      // Above it the two scores are the same to float32.
      if (temperature < 1e-31) expect(ids[2]).toBe(1);
    }
    const flat = tf.tile(tf.tensor2d([[1, 9, -7]]), [600, 1]) as tf.Tensor2D;
    const all = new Set(await sampleTokens(flat, { temperature: 1e39 }, 3).data());
    expect(all).toEqual(new Set([0, 1, 2]));
  });

  for (const options of [{}, { temperature: 0 }, { topK: 2 }, { typicalP: 0.5, minP: 0.1 }]) {
    test(`${JSON.stringify(options)}: NaN and +∞ scores are refused by row and token`, async () => {
      const read = async (rows: number[][]) =>
        readTensor(sampleTokens(tf.tensor2d(rows), options, 1));
      const inf = Number.POSITIVE_INFINITY;
      const refused = (row: number, token: number) =>
        `sampleTokens: the score of token ${token} in row ${row} is NaN or +∞; expected a number, or −∞ for what cannot be drawn`;
      await expect(
        read([
          [1, 2, 3],
          [1, Number.NaN, 2],
        ]),
      ).rejects.toThrow(refused(1, 1));
      await expect(read([[1, inf, Number.NaN]])).rejects.toThrow(refused(0, 1));
      const late = Array.from({ length: 700 }, (_, i) => (i === 613 ? Number.NaN : i % 7));
      await expect(read([late])).rejects.toThrow(refused(0, 613));
      await expect(read([Array(5).fill(-inf)])).rejects.toThrow(
        'sampleTokens: all 5 scores of row 0 are −∞; expected a token that can be drawn',
      );
      expect([...(await read([[-inf, -3.4028234663852886e38, -inf]]))]).toEqual([1]);
    });
  }

  test('scores of ±10⁴ and −∞ draw only what can be drawn', async () => {
    const logits = tf.tensor2d([[-1e4, 1e4, Number.NEGATIVE_INFINITY, -1e4]]);
    for (const options of [{}, { topK: 2 }, { topP: 0.9 }, { temperature: 0.01 }]) {
      expect([...(await sampleTokens(logits, options, 3).data())]).toEqual([1]);
    }
  });

  test('sampleTokens refuses what it cannot use, and leaves nothing behind', async () => {
    const logits = gaussian([2, 5], 1) as tf.Tensor2D;
    const history = tf.zeros<tf.Rank.R2>([2, 3], 'int32');
    const refused: [SamplingOptions, string][] = [
      [{ temperature: -1 }, 'temperature is -1; expected a number of at least 0'],
      [{ topK: 0.5 }, 'topK is 0.5; expected a whole number of at least 1'],
      [{ topP: 1.1 }, 'topP is 1.1; expected 0 < topP ≤ 1'],
      [{ minP: 2 }, 'minP is 2; expected 0 ≤ minP ≤ 1'],
      [{ repetitionPenalty: 0 }, 'repetitionPenalty is 0; expected a number above 0'],
      [{ presencePenalty: Number.NaN }, 'presencePenalty is NaN; expected a number'],
    ];
    for (const [options, message] of refused) {
      expect(() => sampleTokens(logits, options, 1)).toThrow(message);
    }
    expect(() => sampleTokens(logits, {}, -1)).toThrow('sampleTokens: seed is -1');
    expect(() => sampleTokens(logits, {}, 1, { history: tf.zeros([3, 2], 'int32') })).toThrow(
      'sampleTokens: history has shape [3, 2]; expected [2, T]',
    );
    expect(() => sampleTokens(logits, {}, 1, { banned: tf.zeros([2, 2]) })).toThrow(
      'has type float32',
    );
    await expectNoLeak(() => {
      sampleTokens(logits, { repetitionPenalty: 2 }, 1, { history, banned: history }).dispose();
    });
  });
});
