import { expect, test } from 'vitest';
import type { AttentionMap } from './attention-maps.js';
import { attentionRollout } from './rollout.js';
import { headScores } from './scores.js';

const map = (values: number[][], rest: Partial<AttentionMap> = {}): AttentionMap => ({
  layer: 'blocks.0.attn',
  heads: [0],
  rows: values.map((_, i) => i),
  keys: values[0]!.length,
  values: Float32Array.from(values.flat()),
  ...rest,
});

test('by hand: entropy, distance, the token before, induction', () => {
  // Tokens a b a b: the third and the fourth have occurred before, followed by keys 1 and 2.
  const rows = [
    [1, 0, 0, 0],
    [0.5, 0.5, 0, 0],
    [0, 0.75, 0.25, 0],
    [0, 0, 1, 0],
  ];
  const [score] = headScores([map(rows)], [7, 8, 7, 8]);
  const halves = Math.log(2);
  const quarters = -(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25));
  expect(score!.entropy).toBeCloseTo((halves + quarters) / 4, 6);
  expect(score!.distance).toBeCloseTo((0 + 0.5 + 0.75 + 1) / 4, 6);
  expect(score!.previousToken).toBeCloseTo((0.5 + 0.75 + 1) / 3, 6);
  expect(score!.induction).toBeCloseTo((0.75 + 1) / 2, 6);
});

test('every earlier occurrence counts, and a token that never repeats does not', () => {
  // a a a: the second sees one successor (key 1), the third two (keys 1 and 2).
  const rows = [
    [1, 0, 0],
    [0.25, 0.75, 0],
    [0.5, 0.25, 0.25],
  ];
  expect(headScores([map(rows)], [1, 1, 1])[0]!.induction).toBeCloseTo((0.75 + 0.5) / 2, 6);
  expect(headScores([map(rows)], [1, 2, 3])[0]!.induction).toBe(0);
});

test('some rows of several heads', () => {
  const values = Float32Array.of(0.5, 0.5, 0, 0.1, 0.9, 0, 0, 1, 0, 0.2, 0.3, 0.5);
  const scores = headScores(
    [{ layer: 'a', heads: [4, 1], rows: [1, 2], keys: 3, values }],
    [1, 2, 3],
  );
  expect(scores.map(({ head }) => head)).toEqual([4, 1]);
  expect(scores[0]!.previousToken).toBeCloseTo((0.5 + 0.9) / 2, 6);
  expect(scores[1]!.previousToken).toBeCloseTo((0 + 0.3) / 2, 6);
});

test('ids and maps that do not fit are named', () => {
  const square = map([
    [1, 0],
    [0.5, 0.5],
  ]);
  expect(() => headScores([square], [1, 2, 3])).toThrow(
    "headScores: 'blocks.0.attn' has 2 keys; got 3 ids",
  );
  expect(() => attentionRollout([])).toThrow('no maps are given');
  expect(() => attentionRollout([square, map([[1, 0]], { layer: 'b', rows: [1] })])).toThrow(
    "attentionRollout: 'b' has 1 rows over 2 keys; expected all 2 rows over 2 keys",
  );
});

test('rollout of heads that look at themselves changes nothing, and rows sum to 1', () => {
  const self = map([
    [1, 0],
    [0, 1],
  ]);
  expect([...attentionRollout([self, self])]).toEqual([1, 0, 0, 1]);
  const back = map([
    [1, 0],
    [1, 0],
  ]);
  expect([...attentionRollout([back])]).toEqual([1, 0, 0.5, 0.5]);
  expect([...attentionRollout([back, back])]).toEqual([1, 0, 0.75, 0.25]);
});
