import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError, splitCorpus } from './index.js';

describe('a text', () => {
  test('is cut at the start of the nearest line', () => {
    const text =
      'Call me Ishmael.\nSome years ago, never mind how long precisely,\nhaving little\n';
    expect(splitCorpus(text, { validation: 0.2 })).toEqual({
      train: 'Call me Ishmael.\nSome years ago, never mind how long precisely,\n',
      validation: 'having little\n',
    });
  });

  test('is cut at a word where no line begins near, and between characters where no word does', () => {
    const words = 'Call me Ishmael. Some years ago, never mind how long precisely, having little';
    expect(splitCorpus(words, { validation: 0.5 }).validation).toBe(
      'mind how long precisely, having little',
    );
    expect(splitCorpus('🐋🐋🐋', { validation: 0.5 })).toEqual({ train: '🐋', validation: '🐋🐋' });
  });

  test('keeps every character, in two parts of about the asked sizes', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', '\n', '\r\n', 'é', '🐋'),
      minLength: 40,
    });
    fc.assert(
      fc.property(text, fc.double({ min: 0.1, max: 0.9, noNaN: true }), (given, share) => {
        const { train, validation } = splitCorpus(given, { validation: share });
        expect(train + validation).toBe(given);
        // A tenth of the tail away from the asked point, and what rounding adds.
        const off = Math.abs(validation.length - given.length * share);
        expect(off).toBeLessThanOrEqual((given.length * share) / 10 + 2);
        expect(train).not.toBe('');
        expect(validation).not.toBe('');
        expect(/\p{Surrogate}/u.test(train)).toBe(false);
      }),
    );
  });
});

test('ids are cut at the point itself, in views of the same memory', () => {
  const ids = Uint16Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  const { train, validation } = splitCorpus(ids, { validation: 0.3 });
  expect(train).toEqual(Uint16Array.of(1, 2, 3, 4, 5, 6, 7));
  expect(validation).toEqual(Uint16Array.of(8, 9, 10));
  expect(validation.buffer).toBe(ids.buffer);
});

test('a share of nothing leaves everything to learn from', () => {
  expect(splitCorpus('whale', { validation: 0 })).toEqual({ train: 'whale', validation: '' });
});

test.each([
  ['', 0.1, 'the corpus is empty, expected text or token ids'],
  ['whale', 1, 'validation is 1, expected a share from 0 to below 1'],
  ['whale', -0.1, 'validation is -0.1, expected a share from 0 to below 1'],
  ['whale', NaN, 'validation is NaN, expected a share from 0 to below 1'],
  ['whale', 0.01, 'a validation share of 0.01 leaves one part of a corpus of 5 characters empty'],
  ['whale', 0.99, 'a validation share of 0.99 leaves one part of a corpus of 5 characters empty'],
  ['🐋', 0.5, 'a validation share of 0.5 leaves one part of a corpus of 2 characters empty'],
])('%j with a share of %d is refused', (text, validation, message) => {
  expect(() => splitCorpus(text, { validation })).toThrow(new DataError(message));
});

test('ids that would leave a part empty are refused', () => {
  expect(() => splitCorpus(Int32Array.of(1, 2), { validation: 0.1 })).toThrow(
    new DataError('a validation share of 0.1 leaves one part of a corpus of 2 tokens empty'),
  );
});
