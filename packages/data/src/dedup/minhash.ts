import { checkWhole, DataError } from '../errors.js';
import { englishWords } from '../text/english-words.js';
import { randomState } from './random-state.js';
import { simplifyText } from './simplify-text.js';
import { highProduct, highWord, xxhash64 } from './xxhash64.js';

/** Options of `MinHash`; the defaults are datatrove's. */
export interface MinHashOptions {
  /** Words of a shingle. Default 5. */
  readonly shingle?: number | undefined;
  /** Bands of the signature: two texts are near-duplicates if one band is equal. Default 14. */
  readonly bands?: number | undefined;
  /** Hashes of a band. Default 8: texts at Jaccard 0.8 share a band with probability `1 − (1 − 0.8⁸)¹⁴ = 0.92`. */
  readonly hashes?: number | undefined;
  /** Seed of the permutations, a whole number below 2^32. Default 1. */
  readonly seed?: number | undefined;
  /**
   * Where words end: `'english'` at spaces and where spaCy's tokenizer cuts, as datatrove for English; `'spaces'` at
   * spaces alone. Default `'english'`.
   */
  readonly words?: 'english' | 'spaces' | undefined;
}

/** Bits of the high word of a number below 2^61. */
const mask = 0x1fffffff;

/**
 * MinHash signatures of texts, equal to datatrove's to the number.
 *
 * Hash `i` of a signature is `min over shingles s of ((a_i · h(s) + b_i) mod 2^64) mod (2^61 − 1)` with `h` the XXH64 of the
 * shingle's words, simplified and joined by spaces, and `a`, `b` of numpy's `RandomState(seed)`.
 *
 * @see Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900
 */
export class MinHash {
  /** Bands of a signature. */
  readonly bands: number;
  readonly #shingle: number;
  readonly #words: 'english' | 'spaces';
  readonly #bytesOfBand: number;
  readonly #count: number;
  readonly #aLow: Int32Array;
  readonly #aHigh: Int32Array;
  /** `a`'s low word over 2^32: times a low word it is the high word of their product, to ± 1. */
  readonly #aPart: Float64Array;
  readonly #bLow: Int32Array;
  readonly #bHigh: Int32Array;
  /** The least hashes so far: low and high words in turn, as datatrove writes them. */
  readonly #least: Uint32Array;
  /** A hash can be less only if its estimated high word, plus 8, is at most this. */
  readonly #limit: Int32Array;
  #bytes = new Uint8Array(1 << 16);

  /** @throws DataError naming the option that is not a whole number in its range */
  constructor(options: MinHashOptions = {}) {
    const { shingle = 5, bands = 14, hashes = 8, seed = 1, words = 'english' } = options;
    checkWhole('shingle', shingle, 1);
    checkWhole('bands', bands, 1);
    checkWhole('hashes', hashes, 1);
    checkWhole('seed', seed, 0);
    if (seed >= 2 ** 32) throw new DataError(`seed is ${seed}, expected less than 2^32`);
    this.bands = bands;
    this.#shingle = shingle;
    this.#words = words;
    this.#bytesOfBand = 8 * hashes;
    this.#count = bands * hashes;
    const next = randomState(seed);
    [this.#aLow, this.#aHigh] = coefficients(next, this.#count, 1);
    [this.#bLow, this.#bHigh] = coefficients(next, this.#count, 0);
    this.#aPart = Float64Array.from(this.#aLow, (low) => (low >>> 0) / 2 ** 32);
    this.#least = new Uint32Array(2 * this.#count);
    this.#limit = new Int32Array(this.#count);
  }

  /**
   * The signature of a text.
   * @returns `[bands · hashes · 2]` low and high words in turn, valid until the next call; undefined for a text with fewer
   *   words than a shingle
   */
  signature(text: string): Uint32Array | undefined {
    const simplified = simplifyText(text);
    const words = this.#words === 'english' ? englishWords(simplified).join(' ') : simplified;
    if (3 * words.length > this.#bytes.length) this.#bytes = new Uint8Array(6 * words.length);
    const { written } = encoder.encodeInto(words, this.#bytes);
    this.#least.fill(0xffffffff);
    this.#limit.fill(0x7fffffff);
    // The shingle begins at the oldest of the last words' starts.
    const starts = new Int32Array(this.#shingle);
    let word = 0;
    let start = 0;
    for (let at = 0; at <= written; at++) {
      if (at < written && this.#bytes[at] !== 0x20) continue;
      if (at > start) {
        starts[word++ % this.#shingle] = start;
        if (word >= this.#shingle) {
          this.#lower(xxhash64(this.#bytes, starts[word % this.#shingle]!, at), highWord());
        }
      }
      start = at + 1;
    }
    return word < this.#shingle ? undefined : this.#least;
  }

  /**
   * The keys of a text's bands: texts with an equal key are near-duplicates.
   * @returns `[bands · 4]`, 128 bits a band that depend on the band's number and its hashes; undefined for a text with fewer
   *   words than a shingle
   */
  keys(text: string): Uint32Array | undefined {
    const signature = this.signature(text);
    if (!signature) return undefined;
    const bytes = new Uint8Array(signature.buffer);
    const keys = new Uint32Array(4 * this.bands);
    for (let band = 0; band < this.bands; band++) {
      writeKey(keys, band, bytes, band * this.#bytesOfBand, (band + 1) * this.#bytesOfBand, band);
    }
    return keys;
  }

  /** Lowers the hashes of the signature to those of one shingle, whose hash is `high · 2^32 + low`. */
  #lower(low: number, high: number): void {
    const aLow = this.#aLow;
    const aHigh = this.#aHigh;
    const aPart = this.#aPart;
    const bHigh = this.#bHigh;
    const limit = this.#limit;
    const unsigned = low >>> 0;
    for (let i = 0; i < this.#count; i++) {
      // The high word of a·h + b, to −1 … + 3, plus 8, mod 2^29: a wrap around either end stays small, and is computed.
      const estimate =
        (((unsigned * aPart[i]!) | 0) +
          Math.imul(high, aLow[i]!) +
          Math.imul(low, aHigh[i]!) +
          bHigh[i]! +
          8) &
        mask;
      if (estimate <= limit[i]!) this.#lowerOne(i, low, high);
    }
  }

  #lowerOne(i: number, low: number, high: number): void {
    const aLow = this.#aLow[i]!;
    const sumLow = (Math.imul(aLow, low) + this.#bLow[i]!) | 0;
    const carry = sumLow >>> 0 < this.#bLow[i]! >>> 0 ? 1 : 0;
    const sumHigh =
      (highProduct(aLow, low) +
        Math.imul(high, aLow) +
        Math.imul(low, this.#aHigh[i]!) +
        this.#bHigh[i]! +
        carry) |
      0;
    // mod 2^61 − 1: the bits above the 61st are added below.
    const folded = ((sumLow >>> 0) + (sumHigh >>> 29)) % 2 ** 32;
    let resultLow = folded;
    let resultHigh = (sumHigh & mask) + (folded < sumLow >>> 0 ? 1 : 0);
    if (resultHigh > mask || (resultHigh === mask && resultLow === 0xffffffff)) {
      resultLow = (resultLow + 1) % 2 ** 32;
      resultHigh = 0;
    }
    const least = this.#least;
    const leastHigh = least[2 * i + 1]!;
    if (resultHigh > leastHigh || (resultHigh === leastHigh && resultLow >= least[2 * i]!)) return;
    least[2 * i] = resultLow;
    least[2 * i + 1] = resultHigh;
    this.#limit[i] = resultHigh + 9;
  }
}

const encoder = new TextEncoder();

/** Writes the 128-bit key of some bytes at place `at` of `keys`; other `space`s have unrelated keys. */
export function writeKey(
  keys: Uint32Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  space = 0,
): void {
  for (let half = 0; half < 2; half++) {
    keys[4 * at + 2 * half + 1] = xxhash64(bytes, start, end, 2 * space + half);
    keys[4 * at + 2 * half] = highWord();
  }
}

/** Uniform numbers from `least` to 2^61 − 2, as numpy's `randint(least, 2**61 − 1)` draws them: masked, with rejection. */
function coefficients(
  next: () => [number, number],
  count: number,
  least: 0 | 1,
): [low: Int32Array, high: Int32Array] {
  const lows = new Int32Array(count);
  const highs = new Int32Array(count);
  // The span is 2^61 − 2 − least: only the topmost values of the low word are refused.
  const most = 0xfffffffe - least;
  for (let i = 0; i < count; ) {
    const [low, high] = next();
    if ((high & mask) === mask && low > most) continue;
    lows[i] = low + least;
    highs[i] = (high & mask) + (low + least > 0xffffffff ? 1 : 0);
    i++;
  }
  return [lows, highs];
}
