import { ParamStore } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { AlibiPosition, alibiSlopes, roundedBiases } from './alibi.js';
import { alongDiagonal } from './diagonal.js';
import { DisentangledPosition, distanceRow } from './disentangled.js';
import slopes from './goldens/alibi.json' with { type: 'json' };
import rounded from './goldens/alibi-bfloat16.json' with { type: 'json' };
import debertaRows from './goldens/deberta-rows.json' with { type: 'json' };
import buckets from './goldens/t5-buckets.json' with { type: 'json' };
import { ShawPosition } from './shaw.js';
import { T5Position, t5Buckets } from './t5.js';
import { TransformerXLPosition } from './transformer-xl.js';

for (const c of slopes.cases) {
  test(`the slopes of ${c.heads} heads are BLOOM's`, () => {
    const ours = alibiSlopes(c.heads);
    // Theirs are powers of a base that float32 rounded.
    for (const [i, slope] of c.slopes.entries()) {
      expect(Math.abs(ours[i]! / slope - 1), `head ${i}`).toBeLessThan(1e-5);
    }
    expect(ours.length).toBe(c.slopes.length);
  });
}

for (const { first, expected, ...options } of buckets.cases) {
  test(`buckets of ${JSON.stringify(options)} are T5's`, () => {
    const ours = t5Buckets(options);
    const far = options.maxDistance;
    const at = (distance: number) => ours[Math.max(0, Math.min(distance + far, 2 * far))];
    expect(expected.map((_, i) => at(first + i))).toEqual(expected);
  });
}

for (const { first, expected, ...options } of debertaRows.cases) {
  test(`rows of distances in ${JSON.stringify(options)} are DeBERTa's`, () => {
    expect(expected.map((_, i) => distanceRow(first + i, options))).toEqual(expected);
  });
}

test('distances without buckets count as the span from there on', () => {
  const row = (distance: number) => distanceRow(distance, { span: 3 });
  expect([-9, -3, -2, 0, 2, 3, 9].map(row)).toEqual([0, 0, 1, 3, 5, 5, 5]);
});

test('what lies along a diagonal, zeros beyond the edges', async () => {
  const x = tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [1, 3, 4]);
  const rows = async (first: number, count: number) => [
    ...(await alongDiagonal(x, first, count).data()),
  ];
  expect(await rows(0, 2)).toEqual([1, 2, 6, 7, 11, 12]);
  expect(await rows(-1, 3)).toEqual([0, 1, 2, 5, 6, 7, 10, 11, 12]);
  expect(await rows(2, 3)).toEqual([3, 4, 0, 8, 0, 0, 0, 0, 0]);
  expect(await rows(-9, 2)).toEqual([0, 0, 0, 0, 0, 0]);
});

test('what does not fit is named', () => {
  const params = new ParamStore();
  const q = tf.zeros([1, 4, 3, 8]);
  const at = { start: 0, keys: 3 };
  expect(() => new AlibiPosition({ heads: 0 })).toThrow(
    'alibi: heads is 0; expected a positive integer',
  );
  expect(() => new AlibiPosition({ heads: 3 }).apply(q, q, at)).toThrow(
    'alibi: q has 4 heads; expected 3, one a slope',
  );
  const own = { dim: 8, heads: 2, headDim: 4, span: 8, terms: ['position-to-content'] as const };
  const disentangled = (change: object) => () =>
    new DisentangledPosition(params.at('d'), params.at('own'), { ...own, ...change });
  expect(disentangled({ terms: [] })).toThrow('disentangled: there are no terms');
  expect(disentangled({ maxDistance: 5 })).toThrow(
    'disentangled: a span of 8 up to a distance of 5; expected a span of at least 4',
  );
  const t5 = new T5Position(params.at('t5'), { heads: 3 });
  expect(() => t5.apply(q, q, at)).toThrow('t5: q has 4 heads; expected 3, one a column');
  expect(() => new T5Position(params, { heads: 3, buckets: 2, bidirectional: true })).toThrow(
    't5: 2 buckets up to a distance of 128; expected at least 4 buckets',
  );
  expect(() => new T5Position(params, { heads: 3, maxDistance: 16 })).toThrow('16 exact ones');
  expect(() => new ShawPosition(params, { headDim: 8, clip: 0 })).toThrow(
    'shaw: clip is 0; expected a positive integer',
  );
  const shaw = new ShawPosition(params.at('shaw'), { headDim: 6, clip: 2 });
  expect(() => shaw.apply(q, q, at)).toThrow(
    'shaw: q has shape [1, 4, 3, 8]; expected [B, H, Tq, 6]',
  );
  const sizes = { dim: 7, heads: 4, headDim: 8 };
  expect(() => new TransformerXLPosition(params, sizes)).toThrow(
    'transformer-xl: dim is 7; expected an even number',
  );
  const xl = new TransformerXLPosition(params.at('xl'), { ...sizes, dim: 6, heads: 2 });
  expect(() => xl.apply(q, q, at)).toThrow(
    'transformer-xl: q has shape [1, 4, 3, 8]; expected [B, 2, Tq, 8]',
  );
  params.dispose();
});

test("biases in bfloat16 are those of transformers' Falcon, to the bit", () => {
  for (const { heads, keys, biases } of rounded.cases) {
    const ours = roundedBiases(heads, 1001);
    for (const [row, key] of keys.entries()) {
      expect([...ours.subarray(key * heads, (key + 1) * heads)]).toEqual(biases[row]);
    }
  }
});
