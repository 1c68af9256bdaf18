import { checkWhole } from '../errors.js';
import { sfc32 } from '../random.js';

const rounds = 8;

/**
 * A random order of the numbers below `count` that is computed number by number, without memory.
 *
 * A balanced Feistel network permutes the next power of four; a number that lands beyond `count` is permuted again until it does not
 * (cycle walking, four times at most on average).
 *
 * @param count below 2^52
 * @param seed any whole number up to 2^53 − 1
 * @param stream which of the seed's orders: the epoch
 * @param purpose orders of one seed and stream that serve different purposes are unrelated
 * @returns the number that stands at a place of the order
 * @see Black and Rogaway, "Ciphers with arbitrary finite domains": https://web.cs.ucdavis.edu/~rogaway/papers/subset.pdf
 */
export function keyedPermutation(
  count: number,
  seed: number,
  stream: number,
  purpose: number,
): (place: number) => number {
  checkWhole('count', count, 1);
  checkWhole('seed', seed, 0);
  const bits = Math.max(1, Math.ceil(Math.log2(count) / 2));
  const half = 2 ** bits;
  const next = sfc32(seed, stream, purpose);
  const keys = Array.from({ length: rounds }, next);
  const walk = (place: number): number => {
    let left = Math.floor(place / half);
    let right = place % half;
    for (const key of keys) {
      const mixed = (left ^ mix((right + key) | 0)) & (half - 1);
      left = right;
      right = mixed >>> 0;
    }
    return left * half + right;
  };
  return (place) => {
    let number = walk(place);
    while (number >= count) number = walk(number);
    return number;
  };
}

/** Spreads each bit over all 32: the finaliser `lowbias32` of https://github.com/skeeto/hash-prospector. */
function mix(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}
