import { expect, test } from 'vitest';
import golden from '../goldens/minhash.json' with { type: 'json' };
import { englishWords } from '../text/english-words.js';
import { MinHash } from './minhash.js';
import { simplifyText } from './simplify-text.js';

/** Hexadecimal hashes of low and high words in turn. */
const hex = (words: Uint32Array) =>
  Array.from(
    { length: words.length / 2 },
    (_, i) =>
      words[2 * i + 1]!.toString(16).padStart(8, '0') + words[2 * i]!.toString(16).padStart(8, '0'),
  );

test.each(golden.cases)("text $# is simplified, split and signed as datatrove's: $text", (item) => {
  expect(simplifyText(item.text)).toBe(item.simplified);
  expect(englishWords(item.simplified).join(' ')).toBe(item.words.join(' '));
  const signature = new MinHash().signature(item.text);
  expect(signature ? hex(signature).slice(0, item.signature.length) : []).toEqual(item.signature);
});

test('other sizes and another seed give other permutations, as numpy draws them', () => {
  const { signature, ...options } = golden.other;
  expect(hex(new MinHash(options).signature(golden.cases[0]!.text)!)).toEqual(signature);
});

test('an option out of its range is refused by name', () => {
  expect(() => new MinHash({ bands: 0 })).toThrow(
    'bands is 0, expected a whole number of at least 1',
  );
  expect(() => new MinHash({ seed: 2 ** 32 })).toThrow(
    'seed is 4294967296, expected less than 2^32',
  );
});
