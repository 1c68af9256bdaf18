import { expect, test } from 'vitest';
import { DataError, packTokenIds } from './index.js';

test('ids take two bytes each as long as the vocabulary allows it', () => {
  expect(packTokenIds([0, 65535], { vocabSize: 65536 })).toEqual(Uint16Array.of(0, 65535));
  expect(packTokenIds([0, 65536], { vocabSize: 65537 })).toEqual(Int32Array.of(0, 65536));
});

test.each([
  [[3, 5], 'token 1 has the id 5, expected a whole number below the vocabulary size 5'],
  [[-1], 'token 0 has the id -1, expected a whole number below the vocabulary size 5'],
  [[0, 0.5], 'token 1 has the id 0.5, expected a whole number below the vocabulary size 5'],
  [[NaN], 'token 0 has the id NaN, expected a whole number below the vocabulary size 5'],
])('%j is outside a vocabulary of 5', (ids, message) => {
  expect(() => packTokenIds(ids, { vocabSize: 5 })).toThrow(new DataError(message));
});

test('a vocabulary without tokens is refused', () => {
  expect(() => packTokenIds([], { vocabSize: 0 })).toThrow('vocabSize is 0, expected a whole');
});
