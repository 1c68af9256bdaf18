import { expect, test } from 'vitest';
import { GrowingSeries, thin } from './series.js';
import { bounded, fit, levelFor, tilesIn, zoomed } from './view.js';

const smooth = (y: readonly number[], strength: number): readonly number[] =>
  new GrowingSeries<number>(
    () => 0,
    (value) => value,
    strength,
  ).upTo(y).y;

test('smoothing is a mean that begins with the first value and follows a step', () => {
  expect(smooth([5, 5, 5, 5], 0.9).map((value) => value.toFixed(9))).toEqual(
    Array(4).fill('5.000000000'),
  );
  const y = smooth([0, 1, 1, 1], 0.5);
  expect(y[0]).toBe(0);
  expect([...y].sort()).toEqual(y);
  expect(y[3]).toBeCloseTo(14 / 15, 12);
  expect(smooth([3, 1, Number.NaN, 4], 0)).toEqual([3, 1, Number.NaN, 4]);
  expect(smooth([3, Number.NaN, 3], 0.5)).toEqual([3, Number.NaN, 3]);
});

test('an incremental curve reads each entry once, and equals the curve of all entries', () => {
  const entries = Array.from({ length: 1000 }, (_, i) => Math.sin(i));
  let looks = 0;
  const grown = new GrowingSeries<number>(
    (value) => 2 * value,
    (value) => {
      looks++;
      return value;
    },
    0.9,
  );
  for (let count = 0; count <= 1000; count += 50) grown.upTo(entries.slice(0, count));
  expect(looks).toBe(1000);
  const { x, y } = grown.upTo(entries);
  expect(x).toEqual(entries.map((value) => 2 * value));
  expect(y).toEqual(smooth(entries, 0.9));
});

test('a thinned line keeps its ends, its order and every spike', () => {
  const x = Array.from({ length: 10_001 }, (_, i) => i);
  const y = x.map((i) => (i === 4321 ? 99 : i === 7777 ? -99 : Math.sin(i)));
  const thinned = thin({ x, y }, 300);
  expect(thinned.x.length).toBeLessThanOrEqual(301);
  expect(thinned.x.at(-1)).toBe(10_000);
  expect([...thinned.x].sort((a, b) => a - b)).toEqual(thinned.x);
  expect(Math.max(...thinned.y)).toBe(99);
  expect(Math.min(...thinned.y)).toBe(-99);
});

const area = { width: 800, height: 600 };

test('a map fits at first, and can neither be lost nor shrunk below that', () => {
  const whole = fit(4096, area);
  expect(whole.scale).toBeCloseTo(600 / 4096);
  expect(whole.x).toBeLessThan(0);
  expect(bounded({ x: -1e6, y: 1e6, scale: 2 }, 4096, area)).toEqual({ x: 0, y: 3796, scale: 2 });
  expect(zoomed(whole, 0.1, { x: 0, y: 0 }, 4096, area).scale).toBeCloseTo(600 / 4096);
});

test('zooming keeps the value under the pointer', () => {
  const view = { x: 1000, y: 2000, scale: 1 };
  const at = { x: 300, y: 200 };
  const near = zoomed(view, 4, at, 4096, area);
  expect(near.x + at.x / near.scale).toBeCloseTo(1300);
  expect(near.y + at.y / near.scale).toBeCloseTo(2200);
});

test('a view asks only for the tiles that it shows, at the level of the screen', () => {
  const whole = fit(4096, area);
  expect(levelFor(whole, 5)).toBe(2);
  expect(tilesIn(whole, 2, 4096, area)).toHaveLength(16);
  const near = { x: 300, y: 700, scale: 4 };
  expect(levelFor(near, 5)).toBe(0);
  expect(tilesIn(near, 0, 4096, area)).toEqual([
    { column: 1, row: 2 },
    { column: 1, row: 3 },
  ]);
});
