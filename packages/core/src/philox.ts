/** The constants of Philox 4x32-10: its two multipliers, what the key's words grow by, and the number of rounds. */
export const philoxConstants = {
  multipliers: [0xd2511f53, 0xcd9e8d57],
  weyl: [0x9e3779b9, 0xbb67ae85],
  rounds: 10,
} as const;
const { multipliers, weyl, rounds } = philoxConstants;

/** The upper 32 bits of a product of two unsigned 32-bit numbers, from products of their halves. */
function upperProduct(a: number, b: number): number {
  const a1 = a >>> 16;
  const a0 = a & 0xffff;
  const b1 = b >>> 16;
  const b0 = b & 0xffff;
  const middle = (Math.imul(a1, b0) >>> 0) + (Math.imul(a0, b0) >>> 16);
  const carry = (Math.imul(a0, b1) >>> 0) + (middle & 0xffff);
  return (Math.imul(a1, b1) + (middle >>> 16) + (carry >>> 16)) | 0;
}

/**
 * Philox 4x32-10: four random 32-bit words for a counter and a key, without any state.
 *
 * @param counter four unsigned 32-bit words; replaced by the random words
 * @see Salmon et al. 2011, Parallel Random Numbers: As Easy as 1, 2, 3,
 * https://doi.org/10.1145/2063384.2063405
 */
export function philox(counter: Uint32Array, key: readonly [number, number]): void {
  // Signed words, whose bits are those of unsigned ones, are what engines compute fastest with.
  let key0 = key[0] | 0;
  let key1 = key[1] | 0;
  let c0 = counter[0]! | 0;
  let c1 = counter[1]! | 0;
  let c2 = counter[2]! | 0;
  let c3 = counter[3]! | 0;
  for (let round = 0; round < rounds; round++) {
    const next0 = upperProduct(c2, multipliers[1]) ^ c1 ^ key0;
    const next2 = upperProduct(c0, multipliers[0]) ^ c3 ^ key1;
    c1 = Math.imul(multipliers[1], c2);
    c3 = Math.imul(multipliers[0], c0);
    c0 = next0;
    c2 = next2;
    key0 = (key0 + weyl[0]) | 0;
    key1 = (key1 + weyl[1]) | 0;
  }
  counter[0] = c0;
  counter[1] = c1;
  counter[2] = c2;
  counter[3] = c3;
}

/** A seed as a key: its lower and upper 32 bits. */
export const keyOf = (seed: number): [number, number] => [
  seed >>> 0,
  Math.floor(seed / 2 ** 32) >>> 0,
];
