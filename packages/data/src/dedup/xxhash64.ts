// 64-bit numbers are pairs of 32-bit words. A function that gives one leaves its high word in `high` and returns the low one.
let high = 0;

/** The high word of the last hash. */
export const highWord = (): number => high >>> 0;

/** The high word of the product of two 32-bit numbers. */
export function highProduct(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) >>> 0;
  const other = (Math.imul(a0, b1) + (middle & 0xffff)) >>> 0;
  return (Math.imul(a1, b1) + (middle >>> 16) + (other >>> 16)) >>> 0;
}

function multiply(aHigh: number, a: number, bHigh: number, b: number): number {
  high = (highProduct(a, b) + Math.imul(aHigh, b) + Math.imul(a, bHigh)) | 0;
  return Math.imul(a, b);
}

function add(aHigh: number, a: number, bHigh: number, b: number): number {
  const sum = (a + b) | 0;
  high = (aHigh + bHigh + (sum >>> 0 < a >>> 0 ? 1 : 0)) | 0;
  return sum;
}

function rotate(aHigh: number, a: number, by: number): number {
  if (by < 32) {
    high = (aHigh << by) | (a >>> (32 - by));
    return (a << by) | (aHigh >>> (32 - by));
  }
  if (by === 32) {
    high = a;
    return aHigh;
  }
  high = (a << (by - 32)) | (aHigh >>> (64 - by));
  return (aHigh << (by - 32)) | (a >>> (64 - by));
}

// The primes' high and low words.
const P1 = [0x9e3779b1, 0x85ebca87] as const;
const P2 = [0xc2b2ae3d, 0x27d4eb4f] as const;
const P3 = [0x165667b1, 0x9e3779f9] as const;
const P4 = [0x85ebca77, 0xc2b2ae63] as const;
const P5 = [0x27d4eb2f, 0x165667c5] as const;

/** One step of a lane: `rotate(accumulator + input · P2, 31) · P1`. */
function round(accHigh: number, acc: number, inHigh: number, input: number): number {
  let low = multiply(inHigh, input, P2[0], P2[1]);
  low = add(high, low, accHigh, acc);
  low = rotate(high, low, 31);
  return multiply(high, low, P1[0], P1[1]);
}

function mergeRound(hashHigh: number, hash: number, laneHigh: number, lane: number): number {
  let low = round(0, 0, laneHigh, lane);
  low = multiply(hashHigh ^ high, hash ^ low, P1[0], P1[1]);
  return add(high, low, P4[0], P4[1]);
}

const laneLow = new Int32Array(4);
const laneHigh = new Int32Array(4);

const word = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);

/**
 * XXH64 of the bytes from `start` to `end`, with a seed below 2^32.
 * @returns the low word; `highWord()` is the other
 * @see https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */
export function xxhash64(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  let at = start;
  let low: number;
  if (end - start >= 32) {
    low = lanes(bytes, start, end, seed);
    at = end - ((end - start) % 32);
  } else low = add(P5[0], P5[1], 0, seed);
  low = add(high, low, 0, end - start);
  for (; at + 8 <= end; at += 8) {
    const hashHigh = high;
    const lane = round(0, 0, word(bytes, at + 4), word(bytes, at));
    low = rotate(hashHigh ^ high, low ^ lane, 27);
    low = multiply(high, low, P1[0], P1[1]);
    low = add(high, low, P4[0], P4[1]);
  }
  if (at + 4 <= end) {
    const hashHigh = high;
    const lane = multiply(0, word(bytes, at), P1[0], P1[1]);
    low = rotate(hashHigh ^ high, low ^ lane, 23);
    low = multiply(high, low, P2[0], P2[1]);
    low = add(high, low, P3[0], P3[1]);
    at += 4;
  }
  for (; at < end; at++) {
    const hashHigh = high;
    const lane = multiply(0, bytes[at]!, P5[0], P5[1]);
    low = rotate(hashHigh ^ high, low ^ lane, 11);
    low = multiply(high, low, P1[0], P1[1]);
  }
  return avalanche(low);
}

/** The four lanes over all whole stripes of 32 bytes, merged. */
function lanes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  laneLow[0] = add(P1[0], P1[1], P2[0], P2[1]);
  laneLow[0] = add(high, laneLow[0]!, 0, seed);
  laneHigh[0] = high;
  laneLow[1] = add(P2[0], P2[1], 0, seed);
  laneHigh[1] = high;
  laneLow[2] = seed;
  laneHigh[2] = 0;
  laneLow[3] = add(~P1[0], -P1[1] | 0, 0, seed);
  laneHigh[3] = high;
  for (let at = start; at + 32 <= end; at += 32) {
    for (let lane = 0; lane < 4; lane++) {
      const from = at + 8 * lane;
      laneLow[lane] = round(
        laneHigh[lane]!,
        laneLow[lane]!,
        word(bytes, from + 4),
        word(bytes, from),
      );
      laneHigh[lane] = high;
    }
  }
  const turns = [1, 7, 12, 18];
  let low = 0;
  let lowHigh = 0;
  for (let lane = 0; lane < 4; lane++) {
    const turned = rotate(laneHigh[lane]!, laneLow[lane]!, turns[lane]!);
    low = add(high, turned, lowHigh, low);
    lowHigh = high;
  }
  for (let lane = 0; lane < 4; lane++) {
    low = mergeRound(lowHigh, low, laneHigh[lane]!, laneLow[lane]!);
    lowHigh = high;
  }
  return low;
}

function avalanche(hash: number): number {
  let low = hash ^ (high >>> 1); // >>> 33
  low = multiply(high, low, P2[0], P2[1]);
  const shifted = (low >>> 29) | (high << 3); // >>> 29
  const shiftedHigh = high >>> 29;
  low = multiply(high ^ shiftedHigh, low ^ shifted, P3[0], P3[1]);
  return (low ^ high) >>> 0; // >>> 32
}
