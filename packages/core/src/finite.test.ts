import { expect, test } from 'vitest';
import { allFiniteHalves } from './finite.js';

/** The exponent of a half and that of a bfloat16. */
const exponents = [0x7c00, 0x7f80];

test.each(exponents)(
  'of all patterns of 16 bits those with the whole exponent %s are not finite',
  (exponent) => {
    for (let bits = 0; bits < 2 ** 16; bits++) {
      const finite = (bits & exponent) !== exponent;
      for (const word of [bits, bits << 16]) {
        if (allFiniteHalves(Int32Array.of(word), exponent) !== finite) expect(bits).toBe(finite);
      }
    }
  },
);

test.each(exponents)('one value is found wherever it stands', (exponent) => {
  for (let length = 0; length <= 9; length++) {
    // The largest finite values of both signs.
    const largest = exponent - 1;
    const words = new Int32Array(length).fill((largest << 16) | largest | 0x8000);
    expect(allFiniteHalves(words, exponent)).toBe(true);
    for (let i = 0; i < length; i++) {
      for (const wrong of [exponent, exponent << 16, -1]) {
        const changed = words.with(i, wrong);
        expect(allFiniteHalves(changed, exponent), `${i} of ${length}`).toBe(false);
      }
    }
  }
});
