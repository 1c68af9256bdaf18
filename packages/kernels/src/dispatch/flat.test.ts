import { expect, test } from 'vitest';
import { flatChunks, wholeChunks } from './flat.js';

test('tensors follow each other, and chunks end within a tensor where they are full', () => {
  expect(flatChunks([3, 5, 2], 4)).toEqual([
    {
      size: 4,
      pieces: [
        { tensor: 0, from: 0, at: 0, size: 3 },
        { tensor: 1, from: 0, at: 3, size: 1 },
      ],
    },
    { size: 4, pieces: [{ tensor: 1, from: 1, at: 0, size: 4 }] },
    { size: 2, pieces: [{ tensor: 2, from: 0, at: 0, size: 2 }] },
  ]);
  expect(flatChunks([0, 4], 4)).toEqual([
    { size: 4, pieces: [{ tensor: 1, from: 0, at: 0, size: 4 }] },
  ]);
});

test('whole tensors share chunks, and a larger one has its own', () => {
  const sizes = wholeChunks([3, 5, 2, 2, 9, 1], 8).map(({ pieces }) =>
    pieces.map(({ tensor, at, size }) => [tensor, at, size]),
  );
  expect(sizes).toEqual([
    [
      [0, 0, 3],
      [1, 3, 5],
    ],
    [
      [2, 0, 2],
      [3, 2, 2],
    ],
    [[4, 0, 9]],
    [[5, 0, 1]],
  ]);
});
