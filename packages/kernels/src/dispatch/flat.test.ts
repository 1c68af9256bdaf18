import { expect, test } from 'vitest';
import { flatChunks } from './flat.js';

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
