import { expect, test } from 'vitest';
import { DataError, tokenWindows } from './index.js';

test.each([
  [{ length: 3 }, 3],
  [{ length: 3, stride: 1 }, 8],
  [{ length: 3, stride: 5 }, 2],
  [{ length: 10 }, 1],
])('11 tokens, %o: %i windows', (options, count) => {
  expect(tokenWindows(new Int32Array(11), options).count).toBe(count);
});

test('a corpus without a token to follow the window is too short', () => {
  expect(() => tokenWindows(new Uint16Array(64), { length: 64 })).toThrow(
    new DataError(
      'the corpus has 64 tokens, expected at least 65: a window of 64 and the token after it',
    ),
  );
});

test.each([
  [{ length: 0 }, 'length is 0, expected a whole number of at least 1'],
  [{ length: NaN }, 'length is NaN, expected a whole number of at least 1'],
  [{ length: 3, stride: 1.5 }, 'stride is 1.5, expected a whole number of at least 1'],
])('%o is refused', (options, message) => {
  expect(() => tokenWindows(new Int32Array(11), options)).toThrow(new DataError(message));
});
