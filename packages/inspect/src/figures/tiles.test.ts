import { Random } from '@headwise/core';
import { expect, test } from 'vitest';
import { viridis } from './colours.js';
import { TiledMap, tileSide } from './tiles.js';

const linear = (value: number) => value;

function randomGrid(rows: number, keys: number) {
  const random = new Random(1);
  return { rows, keys, values: Float32Array.from({ length: rows * keys }, () => random.next()) };
}

test('tiles of every level cover the map, each pixel the largest of its square', () => {
  const grid = randomGrid(600, 1100);
  const map = new TiledMap(grid, linear);
  expect(map.levels).toBe(4);
  expect(map.tilesAt(3)).toEqual({ columns: 1, rows: 1 });
  for (let level = 0; level < map.levels; level++) {
    const side = 2 ** level;
    const { columns, rows } = map.tilesAt(level);
    let [width, height] = [0, 0];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const tile = map.tile(level, { column, row });
        expect(tile.rgba).toHaveLength(4 * tile.width * tile.height);
        if (row === 0) width += tile.width;
        if (column === 0) height += tile.height;
        for (const [x, y] of [
          [0, 0],
          [tile.width - 1, tile.height - 1],
          [tile.width >> 1, 0],
        ] as const) {
          let most = 0;
          for (let i = 0; i < side; i++) {
            for (let j = 0; j < side; j++) {
              const [r, k] = [(row * tileSide + y) * side + i, (column * tileSide + x) * side + j];
              most = Math.max(most, map.at(r, k) ?? 0);
            }
          }
          const at = 4 * (y * tile.width + x);
          const [red, green, blue, opacity] = tile.rgba.subarray(at, at + 4);
          const expected = viridis(Math.round(most * 1023) / 1023);
          expect([red, green, blue, opacity]).toEqual([...expected, 255]);
        }
      }
    }
    expect([width, height]).toEqual([Math.ceil(1100 / side), Math.ceil(600 / side)]);
  }
});

test('values beyond [0, 1], and none at all, get the colour of an end', () => {
  const values = Float32Array.of(-3, 7, Number.NaN, Number.POSITIVE_INFINITY);
  const { rgba } = new TiledMap({ values, rows: 2, keys: 2 }, linear).tile(0, {
    column: 0,
    row: 0,
  });
  const [least, most] = [
    [...viridis(0), 255],
    [...viridis(1), 255],
  ];
  expect([...rgba]).toEqual([...least, ...most, ...least, ...most]);
});

test('what does not exist is said', () => {
  expect(() => new TiledMap({ values: new Float32Array(5), rows: 2, keys: 3 })).toThrow(
    'TiledMap: 5 values; expected 2 rows of 3',
  );
  const map = new TiledMap(randomGrid(300, 3));
  expect(() => map.tile(2, { column: 0, row: 0 })).toThrow(
    'level 2 does not exist; expected 0 to 1',
  );
  expect(() => map.tile(0, { column: 1, row: 0 })).toThrow(
    'tile 1, 0 does not exist at level 0, which has 1 by 2',
  );
  expect(map.at(300, 0)).toBeUndefined();
});
