import { halfBits, largestHalfBits } from '@headwise/safetensors/internal';

/** Columns of a matrix, in memory: value k of a column lies at `first + k · stepIn + column · stepOut`. */
export interface Block {
  first: number;
  stepIn: number;
  stepOut: number;
  /** Values of a column. */
  rows: number;
  columns: number;
}

/** Where the words of a block go: word w of a column to `words[first + w · stride + column]`. */
export interface BlockWords {
  words: Int32Array;
  first: number;
  stride: number;
}

/** Without their sign bit, the bits of float32 values are ordered as magnitudes; NaN comes after infinity. */
const unsigned = 0x7fffffff;

/**
 * Raises `most[column]` to the largest magnitude of the column.
 *
 * @param bits of float32 values
 * @param most `[columns]`, bits of float32 values
 */
export function raiseMagnitudes(bits: Int32Array, block: Block, most: Int32Array): void {
  const { first, stepIn, stepOut, rows, columns } = block;
  let k = 0;
  // By fours, so that a maximum is loaded and stored once for four values.
  for (; k + 4 <= rows; k += 4) {
    let i = first + k * stepIn;
    for (let column = 0; column < columns; column++, i += stepOut) {
      // A larger one is rare, so that these branches are predicted.
      let largest = most[column]!;
      const a = bits[i]! & unsigned;
      const b = bits[i + stepIn]! & unsigned;
      const c = bits[i + 2 * stepIn]! & unsigned;
      const d = bits[i + 3 * stepIn]! & unsigned;
      if (a > largest) largest = a;
      if (b > largest) largest = b;
      if (c > largest) largest = c;
      if (d > largest) largest = d;
      most[column] = largest;
    }
  }
  for (; k < rows; k++) {
    let i = first + k * stepIn;
    for (let column = 0; column < columns; column++, i += stepOut) {
      const a = bits[i]! & unsigned;
      if (a > most[column]!) most[column] = a;
    }
  }
}

/**
 * Packs two halves a word.
 *
 * @param bits of float32 values
 * @returns whether all are finite and at most {@link largestHalf}; the words are of no use otherwise
 */
export function packHalves(bits: Int32Array, block: Block, into: BlockWords): boolean {
  const { first, stepIn, stepOut, rows, columns } = block;
  const { words, stride } = into;
  let at = into.first;
  let k = 0;
  // Negative once a magnitude is beyond the limit.
  let room = 0;
  for (; k + 2 <= rows; k += 2, at += stride) {
    let i = first + k * stepIn;
    for (let column = 0; column < columns; column++, i += stepOut) {
      const [a, b] = [bits[i]!, bits[i + stepIn]!];
      room |= (largestHalfBits - (a & unsigned)) | (largestHalfBits - (b & unsigned));
      words[at + column] = halfBits(a) | (halfBits(b) << 16);
    }
  }
  let i = first + k * stepIn;
  for (let column = 0; k < rows && column < columns; column++, i += stepOut) {
    room |= largestHalfBits - (bits[i]! & unsigned);
    words[at + column] = halfBits(bits[i]!);
  }
  return room >= 0;
}

/**
 * Packs four 8-bit integers a word: `round(w / s)`.
 *
 * @param perUnit `[columns]`, 1 / s, at most 127 over the largest magnitude; 0 where that is 0
 */
export function packBytes(
  values: Float32Array,
  block: Block,
  perUnit: Float64Array,
  into: BlockWords,
): void {
  const { first, stepIn, stepOut, rows, columns } = block;
  const { words, stride } = into;
  let at = into.first;
  let k = 0;
  for (; k + 4 <= rows; k += 4, at += stride) {
    let i = first + k * stepIn;
    for (let column = 0; column < columns; column++, i += stepOut) {
      const s = perUnit[column]!;
      // Bit operations cut off the fraction: 128.5 + x in [1, 256) is rounded, and the 128 leaves by ^.
      const low = (values[i]! * s + 128.5) | ((values[i + stepIn]! * s + 128.5) << 8);
      const high =
        (values[i + 2 * stepIn]! * s + 128.5) | ((values[i + 3 * stepIn]! * s + 128.5) << 8);
      words[at + column] = (low | (high << 16)) ^ 0x80808080;
    }
  }
  if (k < rows) packRest(values, block, perUnit, words, at, k, 8);
}

/** Packs eight 4-bit integers a word, as {@link packBytes}. */
export function packNibbles(
  values: Float32Array,
  block: Block,
  perUnit: Float64Array,
  into: BlockWords,
): void {
  const { first, stepIn, stepOut, rows, columns } = block;
  const { words, stride } = into;
  let at = into.first;
  let k = 0;
  for (; k + 8 <= rows; k += 8, at += stride) {
    let i = first + k * stepIn;
    for (let column = 0; column < columns; column++, i += stepOut) {
      const s = perUnit[column]!;
      const j = i + 4 * stepIn;
      const low =
        (values[i]! * s + 8.5) |
        ((values[i + stepIn]! * s + 8.5) << 4) |
        ((values[i + 2 * stepIn]! * s + 8.5) << 8) |
        ((values[i + 3 * stepIn]! * s + 8.5) << 12);
      const high =
        (values[j]! * s + 8.5) |
        ((values[j + stepIn]! * s + 8.5) << 4) |
        ((values[j + 2 * stepIn]! * s + 8.5) << 8) |
        ((values[j + 3 * stepIn]! * s + 8.5) << 12);
      words[at + column] = (low | (high << 16)) ^ 0x88888888;
    }
  }
  if (k < rows) packRest(values, block, perUnit, words, at, k, 4);
}

/** The last word of each column, which is not full. */
function packRest(
  values: Float32Array,
  { first, stepIn, stepOut, rows, columns }: Block,
  perUnit: Float64Array,
  words: Int32Array,
  at: number,
  begin: number,
  bits: 4 | 8,
): void {
  const mask = 2 ** bits - 1;
  for (let column = 0; column < columns; column++) {
    let word = 0;
    for (let k = begin; k < rows; k++) {
      const value = values[first + k * stepIn + column * stepOut]! * perUnit[column]!;
      word |= (Math.floor(value + 0.5) & mask) << ((k - begin) * bits);
    }
    words[at + column] = word;
  }
}
