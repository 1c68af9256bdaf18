import { checkWhole } from './errors.js';

/**
 * A generator of uniform 32-bit numbers: Doty-Humphrey's sfc32 (PractRand), a counter and 96 bits of chaotic state.
 * @param seed any whole number up to 2^53 − 1
 * @param stream numbers of one seed and different streams are unrelated
 * @param purpose numbers of one seed and stream that serve different purposes are unrelated
 * @see https://pracrand.sourceforge.net/RNG_engines.txt
 */
export function sfc32(seed: number, stream: number, purpose = 1): () => number {
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = stream | 0;
  let counter = purpose;
  const next = () => {
    const out = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + out) | 0;
    return out >>> 0;
  };
  // Seeds that differ in one bit have to be far apart before the first number counts.
  for (let i = 0; i < 15; i++) next();
  return next;
}

/**
 * The numbers below `count` in a random order that depends on `seed` and `stream` alone.
 * @param count how many, below 2^32
 * @param seed any whole number up to 2^53 − 1
 * @param stream which of the seed's permutations: the epoch
 * @returns `[count]`, every order equally likely (Fisher–Yates)
 */
export function permutation(count: number, seed: number, stream: number): Uint32Array {
  checkWhole('seed', seed, 0);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  shuffle(order, sfc32(seed, stream));
  return order;
}

/** Puts items into a random order, every order equally likely (Fisher–Yates). */
export function shuffle(items: number[] | Uint32Array, next: () => number): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = below(i + 1, next);
    const other = items[j]!;
    items[j] = items[i]!;
    items[i] = other;
  }
}

/** A uniform number in [0, 1), of 32 random bits. */
export const fraction = (next: () => number): number => next() / 2 ** 32;

/** A uniform number below `limit`; draws from the incomplete last block are thrown away, so none is likelier. */
export function below(limit: number, next: () => number): number {
  const whole = 2 ** 32 - (2 ** 32 % limit);
  let drawn = next();
  while (drawn >= whole) drawn = next();
  return drawn % limit;
}
