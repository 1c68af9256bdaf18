// An interpreter of score programs: the operations of a score's graph in topological order, each over a block of keys.
//
// A program is a list of i32: the number of operations, how many of them do not depend on the key, the bytes of these values, then
// the places of the results (score, visible, slope, element; −1: none), then six words an operation: its number, the place of its value, the
// places of three arguments, an immediate. Places are byte offsets into the thread's memory; −2 is the product.
import { exp, log, tanh } from './math';

/** The score of a masked pair. */
export const lowest: f32 = -3.4028234e38;

/** Keys of a block. */
export const block: i32 = 128;
const blockBytes: usize = 512;

let program: usize = 0;
let values: usize = 0;
let product: usize = 0;
let fixedBytes: i32 = 0;
let batch: i32 = 0;
let head: i32 = 0;
let query: i32 = 0;
let shift: i32 = 0;
let firstKey: i32 = 0;
let windowSinks: i32 = 0;
let windowSize: i32 = 0;
let windowEnd: i32 = 0;

/**
 * Sets the window of a cache that holds `end` tokens of a sequence: the first `sinks` keep their places, later ones take turns in `size`
 * places. With a size of 0 a token lies at its position.
 */
export function setWindow(sinks: i32, size: i32, end: i32): void {
  windowSinks = sinks;
  windowSize = size;
  windowEnd = end;
}

/** The tokens in four neighbouring places. */
function tokensAt(place: i32): v128 {
  const places = i32x4.add(i32x4.splat(place), i32x4(0, 1, 2, 3));
  if (windowSize == 0) return places;
  const turns = quotients(i32x4.sub(i32x4.splat(windowEnd - 1), places), i32x4.splat(windowSize));
  const late = i32x4.add(places, i32x4.mul(turns, i32x4.splat(windowSize)));
  return v128.bitselect(places, late, i32x4.lt_s(places, i32x4.splat(windowSinks)));
}

/**
 * Runs a program over the products of a row from key `start` to `end`, which become scores, `lowest` where they are masked.
 *
 * @param slope where the slopes go, or 0
 */
export function runProgram(
  at: usize,
  memory: usize,
  row: usize,
  slope: usize,
  start: i32,
  end: i32,
  b: i32,
  h: i32,
  q: i32,
  s: i32,
): void {
  setQuery(at, memory, b, h, q, s);
  for (let first = start; first < end; first += block) {
    const count = min(block, (end - first + 3) & ~3);
    const at = <usize>first << 2, bytes = <usize>count << 2;
    setKeys(row + at, first, count);
    if (slope != 0) copy(slope + at, result(2), stride(2), bytes);
    copy(row + at, result(0), stride(0), bytes);
    if (has(1)) hide(row + at, result(1), stride(1), bytes);
  }
}

function copy(to: usize, from: usize, step: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 16) {
    v128.store(to + o, v128.load(from));
    from += step;
  }
}

function hide(row: usize, visible: usize, step: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 16) {
    v128.store(row + o, v128.bitselect(v128.load(row + o), f32x4.splat(lowest), v128.load(visible)));
    visible += step;
  }
}

/** Sets the query, and computes the values that do not depend on the key. */
export function setQuery(at: usize, memory: usize, b: i32, h: i32, q: i32, s: i32): void {
  program = at;
  values = memory;
  fixedBytes = load<i32>(at, 8);
  batch = b;
  head = h;
  query = q;
  shift = s;
  firstKey = 0;
  product = memory;
  run(0, load<i32>(at, 4), 1);
}

/** Computes the values of `count` keys, a multiple of 4, at most a block, from the products at an address. */
export function setKeys(at: usize, first: i32, count: i32): void {
  product = at;
  firstKey = first;
  run(load<i32>(program, 4), load<i32>(program), count >> 2);
}

/** Whether the program has result n: 0 score, 1 visible, 2 slope, 3 the element of a table that is looked up. */
function has(n: i32): bool {
  return load<i32>(program + 12 + (<usize>n << 2)) != -1;
}

/** The place of result n. */
export function result(n: i32): usize {
  return at(load<i32>(program + 12 + (<usize>n << 2)));
}

/** Bytes from four values of result n to the next four; 0 for a value that does not depend on the key. */
export function stride(n: i32): usize {
  return strideOf(load<i32>(program + 12 + (<usize>n << 2)));
}

// @ts-ignore: decorator
@inline
function at(place: i32): usize {
  return place == -2 ? product : values + <usize>place;
}

// @ts-ignore: decorator
@inline
function strideOf(place: i32): usize {
  return place >= 0 && place < fixedBytes ? 0 : 16;
}

/** Runs operations from `first` to `end`, each for `count` times four keys. */
function run(first: i32, end: i32, count: i32): void {
  let word = program + 28 + <usize>first * 24;
  for (let n = first; n < end; n++) {
    operate(word, count);
    word += 24;
  }
}

function operate(word: usize, count: i32): void {
  const op = load<i32>(word);
  const to = at(load<i32>(word, 4)), stop = to + (<usize>count << 4);
  const i = load<i32>(word, 8), j = load<i32>(word, 12), k = load<i32>(word, 16);
  let x = at(i), y = at(j), z = at(k);
  const dx = strideOf(i), dy = strideOf(j), dz = strideOf(k);
  const number = load<i32>(word, 20);
  for (let o = to; o < stop; o += 16) {
    v128.store(o, value(op, x, y, z, number, o - to));
    x += dx;
    y += dy;
    z += dz;
  }
}

/** One operation for four keys; its arguments lie at x, y and z. */
function value(op: i32, x: usize, y: usize, z: usize, number: i32, o: usize): v128 {
  switch (op) {
    case 0: // a number
      return i32x4.splat(number);
    case 1:
      return i32x4.splat(batch);
    case 2:
      return i32x4.splat(head);
    case 3:
      return i32x4.splat(query);
    case 4: // the keys
      return tokensAt(firstKey + <i32>(o >> 2));
    case 5:
      return i32x4.splat(shift);
    case 6: // an element of a table
      return i32x4(
        load<i32>(<usize>number + (<usize>load<i32>(x) << 2)),
        load<i32>(<usize>number + (<usize>load<i32>(x, 4) << 2)),
        load<i32>(<usize>number + (<usize>load<i32>(x, 8) << 2)),
        load<i32>(<usize>number + (<usize>load<i32>(x, 12) << 2)),
      );
    case 7:
      return f32x4.add(v128.load(x), v128.load(y));
    case 8:
      return f32x4.sub(v128.load(x), v128.load(y));
    case 9:
      return f32x4.mul(v128.load(x), v128.load(y));
    case 10:
      return f32x4.div(v128.load(x), v128.load(y));
    case 11:
      return f32x4.min(v128.load(x), v128.load(y));
    case 12:
      return f32x4.max(v128.load(x), v128.load(y));
    case 13:
      return f32x4.neg(v128.load(x));
    case 14:
      return f32x4.abs(v128.load(x));
    case 15:
      return f32x4.floor(v128.load(x));
    case 16:
      return exp(v128.load(x));
    case 17:
      return log(v128.load(x));
    case 18:
      return tanh(v128.load(x));
    case 19:
      return f32x4.sqrt(v128.load(x));
    case 20:
      return f32x4.convert_i32x4_s(v128.load(x));
    case 21:
      return i32x4.trunc_sat_f32x4_s(v128.load(x));
    case 22:
      return f32x4.lt(v128.load(x), v128.load(y));
    case 23:
      return f32x4.le(v128.load(x), v128.load(y));
    case 24:
      return f32x4.eq(v128.load(x), v128.load(y));
    case 25:
      return i32x4.add(v128.load(x), v128.load(y));
    case 26:
      return i32x4.sub(v128.load(x), v128.load(y));
    case 27:
      return i32x4.mul(v128.load(x), v128.load(y));
    case 28:
      return quotients(v128.load(x), v128.load(y));
    case 29:
      return i32x4.min_s(v128.load(x), v128.load(y));
    case 30:
      return i32x4.max_s(v128.load(x), v128.load(y));
    case 31:
      return i32x4.neg(v128.load(x));
    case 32:
      return i32x4.abs(v128.load(x));
    case 33: {
      const a = v128.load(x), b = v128.load(y);
      return i32x4.sub(a, i32x4.mul(quotients(a, b), b));
    }
    case 34:
      return i32x4.lt_s(v128.load(x), v128.load(y));
    case 35:
      return i32x4.le_s(v128.load(x), v128.load(y));
    case 36:
      return i32x4.eq(v128.load(x), v128.load(y));
    case 37:
      return v128.and(v128.load(x), v128.load(y));
    case 38:
      return v128.or(v128.load(x), v128.load(y));
    case 39:
      return v128.not(v128.load(x));
    default: // y where x holds, else z
      return v128.bitselect(v128.load(y), v128.load(z), v128.load(x));
  }
}

/** Quotients of whole numbers, rounded down; 0 for a divisor of 0. */
function quotients(x: v128, y: v128): v128 {
  return i32x4(
    quotient(i32x4.extract_lane(x, 0), i32x4.extract_lane(y, 0)),
    quotient(i32x4.extract_lane(x, 1), i32x4.extract_lane(y, 1)),
    quotient(i32x4.extract_lane(x, 2), i32x4.extract_lane(y, 2)),
    quotient(i32x4.extract_lane(x, 3), i32x4.extract_lane(y, 3)),
  );
}

function quotient(x: i32, y: i32): i32 {
  if (y == 0) return 0;
  if (y == -1) return -x;
  const q = x / y;
  return q * y != x && (x < 0) != (y < 0) ? q - 1 : q;
}
