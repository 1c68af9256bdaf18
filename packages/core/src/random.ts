import { InputError } from './errors.js';

/** The state of a `Random`: four unsigned 32-bit words. */
export type RandomState = readonly [number, number, number, number];

const rotateLeft = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/** One step of SplitMix32: spreads a 32-bit seed over 32 well-mixed bits. */
function splitMix32(state: number): number {
  let z = (state + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

/** A 32-bit hash of a text (FNV-1a), to give every parameter its own seed. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/**
 * A seeded random generator: the same seed gives the same numbers on every machine.
 *
 * xoshiro128** seeded through SplitMix32; not for cryptography.
 *
 * @see Blackman and Vigna 2021, Scrambled Linear Pseudorandom Number Generators,
 * https://doi.org/10.1145/3460772
 */
export class Random {
  #state: Uint32Array;

  /** @param seed a seed, or the state of another generator */
  constructor(seed: number | RandomState) {
    if (typeof seed === 'number') {
      if (!Number.isSafeInteger(seed)) {
        throw new InputError(`a random seed must be an integer; got ${seed}`);
      }
      // Both halves of a seed beyond 32 bits count.
      const base = splitMix32(seed >>> 0) ^ Math.floor(seed / 2 ** 32);
      this.#state = Uint32Array.from([1, 2, 3, 4], (i) => splitMix32(base + i * 0x9e3779b9));
    } else {
      if (seed.length !== 4 || seed.every((word) => word === 0)) {
        throw new InputError(
          `a random state has four words, not all zero; got [${seed.join(', ')}]`,
        );
      }
      this.#state = Uint32Array.from(seed);
    }
  }

  /** The state to save; `new Random(state)` goes on with the same numbers. */
  get state(): RandomState {
    const [a, b, c, d] = this.#state;
    return [a!, b!, c!, d!];
  }

  /** A uniform integer in [0, 2³²). */
  nextUint32(): number {
    const s = this.#state;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  /** A uniform number in [0, 1) with 53 random bits. */
  next(): number {
    return ((this.nextUint32() >>> 5) * 2 ** 26 + (this.nextUint32() >>> 6)) / 2 ** 53;
  }

  /** A standard normal number, by the Box-Muller transform. */
  nextNormal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }
}
