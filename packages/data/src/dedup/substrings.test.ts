import fc from 'fast-check';
import { expect, test } from 'vitest';
import { repeatedSubstrings, withoutSpans } from './substrings.js';

test('a span that stood before goes, the first stays', () => {
  const texts = ['Call me Ishmael. Loomings.', 'He said: Call me Ishmael. So I did.'];
  const spans = repeatedSubstrings(texts, 10);
  expect(spans).toEqual([[], [[9, 26]]]);
  expect(withoutSpans(texts[1]!, spans[1]!)).toBe('He said: So I did.');
});

test('within one text, with overlaps, and across no border of two', () => {
  expect(repeatedSubstrings(['abababab'], 4)).toEqual([[[2, 8]]]);
  expect(repeatedSubstrings(['ab', 'cd', 'abcd'], 3)).toEqual([[], [], []]);
});

test('spans are of whole characters, also where the bytes of others agree', () => {
  // é and è share their first byte, 😀 and 😁 their first three.
  expect(repeatedSubstrings(['aaaé😀', 'aaaè', 'xx😁'], 3)).toEqual([[], [[0, 3]], []]);
  expect(repeatedSubstrings(['😀😀', '-😀😀'], 8)).toEqual([[], [[1, 5]]]);
});

test('exactly the windows that stood before are removed', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 25 });
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      (texts, length) => {
        const seen = new Set<string>();
        const expected = texts.map((of) => {
          const removed = new Set<number>();
          for (let i = 0; i + length <= of.length; i++) {
            const window = of.slice(i, i + length);
            if (seen.has(window)) for (let k = 0; k < length; k++) removed.add(i + k);
            seen.add(window);
          }
          return [...of].filter((_, i) => !removed.has(i)).join('');
        });
        const spans = repeatedSubstrings(texts, length);
        expect(texts.map((of, i) => withoutSpans(of, spans[i]!))).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});
