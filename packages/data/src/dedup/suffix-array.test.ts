import fc from 'fast-check';
import { expect, test } from 'vitest';
import { suffixArray } from './suffix-array.js';

const encoder = new TextEncoder();

test('the suffixes of banana', () => {
  expect([...suffixArray(encoder.encode('banana'))]).toEqual([5, 3, 1, 0, 4, 2]);
});

test('suffixes come in their order, whatever repeats', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ max: 2, maxLength: 60 }),
    fc.uint8Array({ maxLength: 60 }),
    fc
      .tuple(fc.uint8Array({ max: 3, maxLength: 5 }), fc.nat(12))
      .map(([part, times]) =>
        Uint8Array.from(Array.from({ length: times }, () => [...part]).flat()),
      ),
  );
  fc.assert(
    fc.property(bytes, (text) => {
      const suffixes = Array.from(text, (_, i) => i);
      suffixes.sort((a, b) => Buffer.compare(text.subarray(a), text.subarray(b)));
      expect([...suffixArray(text)]).toEqual(suffixes);
    }),
    { numRuns: 500 },
  );
});
