// Products with packed weights. A weight is unpacked in panels of 8 columns that stay in the first-level cache, never as a whole.
//
// Words are a matrix `[⌈In / values in a word⌉, 4 ⌈Out / 4⌉]`: a word holds neighbours along In of one column, the first in its lowest
// bits. Scales have a row as long for each group along In; in formats with minima, a row of minima follows each row of scales.
import { fromHalves } from './halves';
import { blockOfSteps, finish, panelProduct, transpose } from './product';
import { address, int, scratch, share } from './threads';

// Formats are numbered as in `src/packed-linear/wasm.ts`.
const F16: i32 = 0;
const BF16: i32 = 1;
const INT8: i32 = 2;
const INT4: i32 = 3;
const UINT8: i32 = 4;
const UINT4: i32 = 5;

// Integers of all kernels of this file, beside those that `finish` reads.
const X = 0; // its rows as they are, or packed in groups of 4
const WORDS = 1;
const Y = 2;
const ROWS = 3;
const COLUMNS = 4; // of the product
const STEPS = 5; // of the product
const TALL = 6; // rows and columns of a chunk
const WIDE = 7;
const FORMAT = 13;
const GROUP = 14; // values along In that share a scale
const SCALES = 15; // or 0
const STRIDE = 16; // words in a row
const MEMORY = 17; // of all threads
const MEMORY_BYTES = 18; // of one
const IN = 19;
const OUT = 20;

/** Bytes of a thread's scratch memory that hold sums; the end of a row of x lies behind them. */
const sumBytes: usize = 4096;

/** Rows of words that are summed in registers at a time, at most. */
const wordsAtOnce: i32 = 8;

// @ts-ignore: decorator
@inline
function perWord(format: i32): i32 {
  return format <= BF16 ? 2 : format == INT8 || format == UINT8 ? 4 : 8;
}

// @ts-ignore: decorator
@inline
function hasMinima(format: i32): bool {
  return format >= UINT8;
}

/** Value j of each of four words, not scaled. */
// @ts-ignore: decorator
@inline
function field(format: i32, words: v128, j: i32): v128 {
  if (format == F16) return fromHalves(j == 0 ? words : i32x4.shr_u(words, 16));
  if (format == BF16) return j == 0 ? i32x4.shl(words, 16) : v128.and(words, i32x4.splat(0xffff0000));
  const bits = 32 / perWord(format);
  const top = i32x4.shl(words, 32 - bits - bits * j);
  return f32x4.convert_i32x4_s(hasMinima(format) ? i32x4.shr_u(top, 32 - bits) : i32x4.shr_s(top, 32 - bits));
}

/** The scales of the values from step k on, of all columns; the minima lie `STRIDE` words behind. */
// @ts-ignore: decorator
@inline
function scalesAt(format: i32, k: i32): usize {
  return address(SCALES) + ((<usize>(k / int(GROUP)) * (hasMinima(format) ? 2 : 1) * address(STRIDE)) << 2);
}

/** Scales four values of a format, whose scales lie at an address; f16 and bf16 have none. */
// @ts-ignore: decorator
@inline
function scaled(format: i32, value: v128, scales: usize): v128 {
  if (format <= BF16) return value;
  const product = f32x4.mul(value, v128.load(scales));
  return hasMinima(format) ? f32x4.sub(product, v128.load(scales + (address(STRIDE) << 2))) : product;
}

// --- Few rows: a sum for each column while the words are read once, along their rows.

/**
 * Adds `count` rows of words times x to sums of one row of the product.
 *
 * @param x the values that the first row of words multiplies
 * @param bytes of the sums, whole fours
 */
// @ts-ignore: decorator
@inline
function addWords(format: i32, x: usize, words: usize, scales: usize, count: i32, sums: usize, bytes: usize): void {
  const row = address(STRIDE) << 2;
  const n = perWord(format);
  let sumX = f32x4.splat(0);
  if (hasMinima(format)) {
    for (let i = 0; i < count * n; i++) sumX = f32x4.add(sumX, v128.load_splat<f32>(x + (<usize>i << 2)));
  }
  for (let o: usize = 0; o < bytes; o += 16) {
    let at = words + o, v = x;
    let a = f32x4.splat(0), b = a;
    for (let i = 0; i < count; i++) {
      const w = v128.load(at);
      a = f32x4.add(a, f32x4.mul(v128.load_splat<f32>(v), field(format, w, 0)));
      b = f32x4.add(b, f32x4.mul(v128.load_splat<f32>(v, 4), field(format, w, 1)));
      if (n > 2) {
        a = f32x4.add(a, f32x4.mul(v128.load_splat<f32>(v, 8), field(format, w, 2)));
        b = f32x4.add(b, f32x4.mul(v128.load_splat<f32>(v, 12), field(format, w, 3)));
      }
      if (n > 4) {
        a = f32x4.add(a, f32x4.mul(v128.load_splat<f32>(v, 16), field(format, w, 4)));
        b = f32x4.add(b, f32x4.mul(v128.load_splat<f32>(v, 20), field(format, w, 5)));
        a = f32x4.add(a, f32x4.mul(v128.load_splat<f32>(v, 24), field(format, w, 6)));
        b = f32x4.add(b, f32x4.mul(v128.load_splat<f32>(v, 28), field(format, w, 7)));
      }
      at += row;
      v += <usize>n << 2;
    }
    a = f32x4.add(a, b);
    if (format > BF16) a = f32x4.mul(a, v128.load(scales + o));
    if (hasMinima(format)) a = f32x4.sub(a, f32x4.mul(sumX, v128.load(scales + row + o)));
    v128.store(sums + o, f32x4.add(v128.load(sums + o), a));
  }
}

/** The sums of one row of the product from a column on. */
// @ts-ignore: decorator
@inline
function sumWords(format: i32, x: usize, column: i32, sums: usize, bytes: usize): void {
  const n = perWord(format), k = int(STEPS);
  const row = address(STRIDE) << 2, first = <usize>column << 2;
  const whole = k / n, inGroup = int(GROUP) / n;
  memory.fill(sums, 0, bytes);
  for (let i = 0; i < whole; ) {
    const groupEnd = format <= BF16 || inGroup == 0 ? whole : min((i / inGroup + 1) * inGroup, whole);
    const count = min(wordsAtOnce, groupEnd - i);
    const words = address(WORDS) + <usize>i * row + first;
    const scales = format <= BF16 ? 0 : scalesAt(format, i * n) + first;
    addWords(format, x + (<usize>(i * n) << 2), words, scales, count, sums, bytes);
    i += count;
  }
  if (whole * n < k) {
    // What lies behind x is not to be multiplied, not even by 0.
    const rest = scratch() + sumBytes;
    memory.fill(rest, 0, 32);
    memory.copy(rest, x + (<usize>(whole * n) << 2), <usize>(k - whole * n) << 2);
    const words = address(WORDS) + <usize>whole * row + first;
    const scales = format <= BF16 ? 0 : scalesAt(format, whole * n) + first;
    addWords(format, rest, words, scales, 1, sums, bytes);
  }
}

/** Kernel: a few rows times a packed weight. A chunk is `WIDE` columns, at most 1,024. */
export function packedRows(chunk: i32): void {
  const rows = int(ROWS), columns = int(COLUMNS), wide = int(WIDE);
  const j = chunk * wide, n = min(wide, columns - j);
  const bytes = <usize>((n + 3) & ~3) << 2;
  const sums = scratch();
  const row = <usize>columns << 2;
  let x = address(X), to = address(Y) + (<usize>j << 2);
  for (let r = 0; r < rows; r++) {
    switch (int(FORMAT)) {
      case F16:
        sumWords(F16, x, j, sums, bytes);
        break;
      case BF16:
        sumWords(BF16, x, j, sums, bytes);
        break;
      case INT8:
        sumWords(INT8, x, j, sums, bytes);
        break;
      case INT4:
        sumWords(INT4, x, j, sums, bytes);
        break;
      case UINT8:
        sumWords(UINT8, x, j, sums, bytes);
        break;
      default:
        sumWords(UINT4, x, j, sums, bytes);
    }
    memory.copy(to, sums, <usize>n << 2);
    x += <usize>int(STEPS) << 2;
    to += row;
  }
  finish(<usize>j << 2, row, rows, n, j);
}

// --- Many rows: panels as `pack` makes them of a matrix that is not packed.

/** Value j of a word of any format, four words at a time. */
function anyField(words: v128, j: i32): v128 {
  switch (int(FORMAT)) {
    case F16:
      return fromHalves(i32x4.shr_u(words, j << 4));
    case BF16:
      return v128.and(i32x4.shl(words, (1 - j) << 4), i32x4.splat(0xffff0000));
    case INT8:
      return f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.shl(words, 24 - (j << 3)), 24));
    case INT4:
      return f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.shl(words, 28 - (j << 2)), 28));
    case UINT8:
      return f32x4.convert_i32x4_s(i32x4.shr_u(i32x4.shl(words, 24 - (j << 3)), 24));
    default:
      return f32x4.convert_i32x4_s(i32x4.shr_u(i32x4.shl(words, 28 - (j << 2)), 28));
  }
}

/** Unpacks 8 columns of a weight, a whole number of words from step k on, to steps of 8 values each. */
function unpackColumns(to: usize, column: i32, k: i32, steps: i32): void {
  const format = int(FORMAT), n = perWord(format), row = address(STRIDE) << 2;
  const both = column + 4 < int(STRIDE), at = <usize>column << 2;
  const zero = f32x4.splat(0);
  for (let i = k / n; i * n < k + steps; i++) {
    const words = address(WORDS) + <usize>i * row + at;
    const scales = format <= BF16 ? 0 : scalesAt(format, i * n) + at;
    const low = v128.load(words), high = both ? v128.load(words, 16) : zero;
    for (let j = 0; j < n; j++) {
      v128.store(to, scaled(format, anyField(low, j), scales));
      v128.store(to, both ? scaled(format, anyField(high, j), scales + 16) : zero, 16);
      to += 32;
    }
  }
}

/** Unpacks 8 rows of a weight, from a multiple of 8 on, to a step of 8 values for each of some outputs. */
function unpackRows(to: usize, first: i32, output: i32, steps: i32): void {
  const format = int(FORMAT), n = perWord(format), row = address(STRIDE) << 2;
  for (let o = output; o < output + steps; o += 4) {
    for (let half = 0; half < 8; half += 4) {
      const at = to + (<usize>half << 2);
      transpose(
        at,
        32,
        rowOf(format, n, first + half, row, o),
        rowOf(format, n, first + half + 1, row, o),
        rowOf(format, n, first + half + 2, row, o),
        rowOf(format, n, first + half + 3, row, o),
      );
    }
    to += 128;
  }
}

/** Values of row k of a weight in four neighbouring columns; zeros behind the last row. */
// @ts-ignore: decorator
@inline
function rowOf(format: i32, n: i32, k: i32, row: usize, column: i32): v128 {
  if (k >= int(IN)) return f32x4.splat(0);
  const at = <usize>column << 2;
  const words = v128.load(address(WORDS) + <usize>(k / n) * row + at);
  return scaled(format, anyField(words, k % n), format <= BF16 ? 0 : scalesAt(format, k) + at);
}

/** Kernel: packed rows of x times a packed weight, or with `back` times its transpose. */
function packedTiles(chunk: i32, back: bool): void {
  const rows = int(ROWS), columns = int(COLUMNS), k = int(STEPS), tall = int(TALL), wide = int(WIDE);
  const across = (columns + wide - 1) / wide;
  const i = (chunk / across) * tall, j = (chunk % across) * wide;
  const m = min(tall, rows - i), n = min(wide, columns - j);
  const row = <usize>columns << 2, at = <usize>i * row + (<usize>j << 2);
  const a = address(X) + ((<usize>i * k) << 2);
  const panel = share(address(MEMORY), address(MEMORY_BYTES));
  for (let start = 0; start < k; start += blockOfSteps) {
    const steps = min(blockOfSteps, k - start);
    for (let c = 0; c < n; c += 8) {
      if (back) unpackRows(panel, j + c, start, steps);
      else unpackColumns(panel, j + c, start, steps);
      const to = address(Y) + at + (<usize>c << 2);
      panelProduct(a + (<usize>start << 4), k, panel, steps, to, row, m, min(8, n - c), start > 0);
    }
  }
  finish(at, row, m, n, j);
}

/** Kernel: x, packed in groups of 4 rows, times a packed weight. A chunk is `TALL` rows and `WIDE` columns. */
export function packedProduct(chunk: i32): void {
  packedTiles(chunk, false);
}

/** Kernel: `packedProduct` by the transpose: the gradient of x from that of y. */
export function packedProductBack(chunk: i32): void {
  packedTiles(chunk, true);
}

/** Kernel: a weight unpacked to Y, `[In, Out]`. A chunk is a row of words. */
export function unpackWeight(chunk: i32): void {
  const format = int(FORMAT), n = perWord(format), out = int(OUT);
  const row = address(STRIDE) << 2, whole = out & ~3;
  for (let k = chunk * n; k < min((chunk + 1) * n, int(IN)); k++) {
    const to = address(Y) + ((<usize>k * out) << 2);
    for (let o = 0; o < whole; o += 4) v128.store(to + (<usize>o << 2), rowOf(format, n, k, row, o));
    if (whole < out) {
      v128.store(scratch(), rowOf(format, n, k, row, whole));
      memory.copy(to + (<usize>whole << 2), scratch(), <usize>(out - whole) << 2);
    }
  }
}

/** Kernel: columns of a packed weight by their numbers, X, to the rows of Y, `[N, In]`. A chunk is one number. */
export function gatherPacked(chunk: i32): void {
  const format = int(FORMAT), n = perWord(format), k = int(IN), stride = address(STRIDE);
  const column = <usize>load<i32>(address(X) + (<usize>chunk << 2));
  const to = address(Y) + ((<usize>chunk * k) << 2);
  for (let i = 0; i < k; i++) {
    const word = v128.load_splat<i32>(address(WORDS) + ((<usize>(i / n) * stride + column) << 2));
    let value = f32x4.extract_lane(anyField(word, i % n), 0);
    if (format > BF16) {
      const scales = scalesAt(format, i) + (column << 2);
      value *= load<f32>(scales);
      if (hasMinima(format)) value -= load<f32>(scales + (stride << 2));
    }
    store<f32>(to + (<usize>i << 2), value);
  }
}
