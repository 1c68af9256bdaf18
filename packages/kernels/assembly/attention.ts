// Attention, 32 queries at a time: memory holds their whole rows of scores, and grows with the number of keys.
import { exp, largest as largestOf, log, sum } from './math';
import { draw, word } from './philox';
import { multiply, pack, transpose } from './product';
import { block, lowest, result, runProgram, setKeys, setQuery, stride } from './score';
import { address, float, int, scratch, share } from './threads';

/** Queries of a block. */
const tall: i32 = 32;

// The integer arguments; each `STRIDES` has three: bytes from sequence to sequence, head to head, row to row.
const HEADS = 0; // of queries
const GROUP = 1; // query heads that share keys
const QUERIES = 2;
const KEYS = 3;
const KEY_WIDTH = 4;
const VALUE_WIDTH = 5;
const MEMORY = 6; // of all threads
const MEMORY_BYTES = 7; // of one
const PROGRAM = 8; // of scores; 0: the products times float 0
const BEFORE = 9; // keys that a query may see before its own place, at most
const DROPOUT = 10; // 1: weights are dropped
const DROPOUT_KEY = 11; // two words
const THRESHOLD = 13; // and float 1 is what the others are multiplied by
const PART = 14; // queries of a chunk of the forward
const BEHIND = 15; // and behind it; negative: not even its own
const Q_STRIDES = 16;
const K_STRIDES = 19;
const V_STRIDES = 22;
const Y_STRIDES = 25;
const Q = 32;
const K = 33;
const V = 34;
const Y = 35;
const STATS = 36;
const SINKS = 37; // or 0
const DY = 38;
const ROWS = 39; // largest, log-sum, D and 0 of each query
const DQ = 40; // or 0: not wanted
const DK = 41;
const DV = 42;
const TABLE = 43; // a table's gradient

let packedKeys: usize = 0;
let packedValues: usize = 0;
let turnedKeys: usize = 0;
let packedQ: usize = 0;
let packedDy: usize = 0;
let scores: usize = 0;
let slopes: usize = 0;
let products: usize = 0;
let packed: usize = 0;
let words: usize = 0;
/** Bytes of a row of scores. */
let scoreRow: usize = 0;

// @ts-ignore: decorator
@inline
function up(n: i32, by: i32): i32 {
  return ((n + by - 1) / by) * by;
}

/** Divides a thread's memory; returns where the values of the program begin. */
function layOut(start: usize, keys: i32, keyWidth: i32, valueWidth: i32): usize {
  const n = <usize>up(keys, 8), dk = <usize>up(keyWidth, 8), dv = <usize>up(valueWidth, 8);
  scoreRow = n << 2;
  const block = <usize>tall * scoreRow;
  packedKeys = start;
  packedValues = packedKeys + ((n * dk) << 2);
  turnedKeys = packedValues + ((n * dv) << 2);
  packedQ = turnedKeys + ((n * dk) << 2);
  packedDy = packedQ + ((<usize>tall * dk) << 2);
  scores = packedDy + ((<usize>tall * dv) << 2);
  slopes = scores + block;
  products = slopes + block;
  packed = products + block;
  words = packed + block;
  return words;
}

/** Bytes of a thread's memory, without the values of the program. */
export function attentionBytes(keys: i32, keyWidth: i32, valueWidth: i32): usize {
  return layOut(0, keys, keyWidth, valueWidth);
}

function begin(): void {
  layOut(share(address(MEMORY), address(MEMORY_BYTES)), int(KEYS), int(KEY_WIDTH), int(VALUE_WIDTH));
}

/** The address of the first row of a head. */
function headAt(tensor: i32, strides: i32, b: i32, h: i32): usize {
  return address(tensor) + <usize>b * address(strides) + <usize>h * address(strides + 1);
}

/** Packs rows from `first` to `end` for a product over their width: as rows of the left operand (lines 4), or as columns of the right (lines 8). */
function packRows(to: usize, from: usize, row: usize, first: i32, end: i32, width: i32, lines: i32): void {
  for (let i = first; i < end; i += lines) {
    pack(to + ((<usize>i * width) << 2), from + <usize>i * row, row, 4, min(lines, end - i), width, lines);
  }
}

/** Packs columns for a product over the rows from `first` to `end`; a group or panel has room for `end` rows. */
function packColumns(to: usize, from: usize, row: usize, first: i32, end: i32, width: i32, lines: i32): void {
  const start = from + <usize>first * row;
  for (let i = 0; i < width; i += lines) {
    const panel = to + ((<usize>i * end + <usize>(first * lines)) << 2);
    pack(panel, start + (<usize>i << 2), 4, row, min(lines, width - i), end - first, lines);
  }
}

/** The first visible key of the query at a place; all keys before it are masked. */
// @ts-ignore: decorator
@inline
function startOf(place: i32): i32 {
  return min(max(place - int(BEFORE), 0), int(KEYS));
}

/** The key behind the last visible one of the query at a place; it and all later keys are masked. */
// @ts-ignore: decorator
@inline
function stopOf(place: i32): i32 {
  return min(max(place + int(BEHIND) + 1, 0), int(KEYS));
}

/** The first key of a block of queries, rounded down to whole panels of 8 and whole draws of 16. */
// @ts-ignore: decorator
@inline
function blockStart(place: i32, stop: i32): i32 {
  return min(startOf(place) & ~15, stop);
}

/** Computes scores of `rows` queries with the keys from `start` to `stop`, rounded up to fours, `lowest` where masked, and their slopes. */
function score(b: i32, h: i32, query: i32, rows: i32, start: i32, stop: i32, withSlopes: bool): void {
  const row = address(Q_STRIDES + 2), width = int(KEY_WIDTH);
  packRows(packedQ, headAt(Q, Q_STRIDES, b, h) + <usize>query * row, row, 0, rows, width, 4);
  const keys = packedKeys + ((<usize>start * width) << 2);
  multiply(packedQ, keys, scores + (<usize>start << 2), scoreRow, rows, stop - start, width, width, false);
  const shift = int(KEYS) - int(QUERIES);
  for (let r = 0; r < rows; r++) {
    const at = <usize>r * scoreRow;
    scoreOne(scores + at, withSlopes ? slopes + at : 0, b, h, query + r + shift, shift, start, stop);
  }
}

function scoreOne(row: usize, slope: usize, b: i32, h: i32, place: i32, shift: i32, start: i32, stop: i32): void {
  const seen = min(stopOf(place), stop), first = min(startOf(place), stop);
  const from = row + (<usize>start << 2), end = row + (<usize>up(stop, 4) << 2);
  if (address(PROGRAM) == 0) {
    const scale = f32x4.splat(float(0));
    for (let o = from; o < end; o += 16) v128.store(o, f32x4.mul(v128.load(o), scale));
  } else {
    runProgram(address(PROGRAM), words, row, slope, start, seen, b, h, place, shift);
  }
  for (let o = from; o < row + (<usize>first << 2); o += 4) store<f32>(o, lowest);
  for (let o = row + (<usize>seen << 2); o < end; o += 4) store<f32>(o, lowest);
}

/** Draws the words of 16 keys, a counter for each four: key i's is word `i & 3` of counter `i >> 2`. */
function drawWords(counter: i32, query: i32, head: i32): void {
  const counters = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3));
  draw(counters, i32x4.splat(query), i32x4.splat(head), int(DROPOUT_KEY), int(DROPOUT_KEY + 1));
  transpose(scratch(), 16, word(0), word(1), word(2), word(3));
}

/** The dropout factors of four keys, `at` bytes into a row: 0, or the factor of kept weights. Call it in the order of the keys. */
// @ts-ignore: decorator
@inline
function kept(at: usize, query: i32, head: i32): v128 {
  if ((at & 48) == 0) drawWords(<i32>(at >> 4), query, head);
  const words = v128.load(scratch() + (at & 48));
  return v128.and(i32x4.ge_u(words, i32x4.splat(int(THRESHOLD))), f32x4.splat(float(1)));
}

/** Kernel: the forward. A chunk is `PART` queries of the heads that share keys. */
export function attend(chunk: i32): void {
  begin();
  const part = int(PART), queries = int(QUERIES), group = int(GROUP);
  const parts = (queries + part - 1) / part;
  const kvHeads = int(HEADS) / group;
  const b = chunk / parts / kvHeads, kv = (chunk / parts) % kvHeads;
  const first = (chunk % parts) * part, last = min(first + part, queries);
  const shift = int(KEYS) - queries;
  const all = stopOf(last - 1 + shift), firstKey = blockStart(first + shift, all);
  const width = int(VALUE_WIDTH), yRow = address(Y_STRIDES + 2);
  const kRow = address(K_STRIDES + 2), vRow = address(V_STRIDES + 2);
  packRows(packedKeys, headAt(K, K_STRIDES, b, kv), kRow, firstKey, all, int(KEY_WIDTH), 8);
  packColumns(packedValues, headAt(V, V_STRIDES, b, kv), vRow, firstKey, all, width, 8);
  for (let h = kv * group; h < (kv + 1) * group; h++) {
    const y = headAt(Y, Y_STRIDES, b, h);
    for (let i = first; i < last; i += tall) {
      const rows = min(tall, last - i);
      const stop = stopOf(i + rows - 1 + shift), start = blockStart(i + shift, stop);
      const to = y + <usize>i * yRow;
      score(b, h, i, rows, start, stop, false);
      for (let r = 0; r < rows; r++) weigh(b, h, i + r, scores + <usize>r * scoreRow, start, stop);
      packRows(packed, scores + (<usize>start << 2), scoreRow, 0, rows, stop - start, 4);
      multiply(packed, packedValues + (<usize>start << 5), to, yRow, rows, width, stop - start, all, false);
      for (let r = 0; r < rows; r++) {
        const factor: f32 = start == stop ? 0 : load<f32>(slopes + (<usize>r << 2));
        scaleRow(to + <usize>r * yRow, factor, width);
      }
    }
  }
}

/** Multiplies a row of the output; a factor of 0 gives zeros, for NaN too. */
function scaleRow(row: usize, factor: f32, width: i32): void {
  const end = row + (<usize>width << 2);
  for (let o = row; o < end; o += 4) store<f32>(o, factor == 0 ? 0 : load<f32>(o) * factor);
}

/** Turns scores into weights that are not divided by their sum yet; stores the statistics, and `1 / sum` in `slopes`. */
function weigh(b: i32, h: i32, query: i32, row: usize, start: i32, stop: i32): void {
  const from = row + (<usize>start << 2), end = row + (<usize>up(stop, 4) << 2);
  const head = b * int(HEADS) + h;
  const sinks = address(SINKS);
  let peaks = f32x4.splat(lowest);
  for (let o = from; o < end; o += 16) peaks = f32x4.max(peaks, v128.load(o));
  let peak = largestOf(peaks);
  let total: f32 = 0;
  if (sinks != 0) {
    const sink = load<f32>(sinks + (<usize>h << 2));
    peak = max(peak, sink);
    total = f32x4.extract_lane(exp(f32x4.splat(sink - peak)), 0);
  }
  const shared = f32x4.splat(peak);
  let totals = f32x4.splat(0);
  for (let o = from; o < end; o += 16) {
    let p = exp(f32x4.sub(v128.load(o), shared));
    totals = f32x4.add(totals, p);
    if (int(DROPOUT) == 1) p = f32x4.mul(p, kept(o - row, query, head));
    v128.store(o, p);
  }
  total += sum(totals);
  // A query whose keys are all masked gives 0; NaN scores give NaN.
  const sees = !(peak <= lowest && total >= 0);
  store<f32>(slopes + (<usize>(query % int(PART) % tall) << 2), sees ? 1 / total : 0);
  const stats = address(STATS) + (<usize>(head * int(QUERIES) + query) << 3);
  store<f32>(stats, peak);
  store<f32>(stats, sees ? f32x4.extract_lane(log(f32x4.splat(total)), 0) : 0, 4);
}

/** Kernel: statistics and `D = Σ y dy` of each query, for the backward. A chunk is a head of a sequence. */
export function attendRows(chunk: i32): void {
  const heads = int(HEADS), queries = int(QUERIES);
  const row = address(Y_STRIDES + 2);
  const bytes = <usize>int(VALUE_WIDTH) << 2;
  let y = headAt(Y, Y_STRIDES, chunk / heads, chunk % heads);
  let dy = headAt(DY, Y_STRIDES, chunk / heads, chunk % heads);
  for (let i = chunk * queries; i < (chunk + 1) * queries; i++) {
    let d: f32 = 0;
    for (let o: usize = 0; o < bytes; o += 4) d += load<f32>(y + o) * load<f32>(dy + o);
    const stats = address(STATS) + (<usize>i << 3), to = address(ROWS) + (<usize>i << 4);
    store<f32>(to, load<f32>(stats));
    store<f32>(to, load<f32>(stats, 4), 4);
    store<f32>(to, d, 8);
    store<f32>(to, 0, 12);
    y += row;
    dy += row;
  }
}

/** Kernel: the gradients of queries, keys and values. A chunk is the heads of a sequence that share keys. */
export function attendGradient(chunk: i32): void {
  begin();
  const group = int(GROUP), queries = int(QUERIES);
  const kvHeads = int(HEADS) / group;
  const b = chunk / kvHeads, kv = chunk % kvHeads;
  const shift = int(KEYS) - queries;
  const all = stopOf(queries - 1 + shift), firstKey = blockStart(shift, all);
  const keyWidth = int(KEY_WIDTH), valueWidth = int(VALUE_WIDTH);
  const qRow = address(Q_STRIDES + 2), kRow = address(K_STRIDES + 2);
  const vRow = address(V_STRIDES + 2), yRow = address(Y_STRIDES + 2);
  packKeys(b, kv, firstKey, all);
  packColumns(turnedKeys, headAt(K, K_STRIDES, b, kv), kRow, firstKey, all, keyWidth, 8);
  const dk: usize = address(DK) == 0 ? 0 : headAt(DK, K_STRIDES, b, kv);
  const dv: usize = address(DV) == 0 ? 0 : headAt(DV, V_STRIDES, b, kv);
  if (dk != 0) clear(dk, kRow, int(KEYS), keyWidth);
  if (dv != 0) clear(dv, vRow, int(KEYS), valueWidth);
  for (let h = kv * group; h < (kv + 1) * group; h++) {
    for (let i = 0; i < queries; i += tall) {
      const rows = min(tall, queries - i);
      const stop = stopOf(i + rows - 1 + shift), start = blockStart(i + shift, stop);
      const count = stop - start, at = <usize>start << 2;
      scoreGradients(b, h, i, rows, start, stop);
      if (address(DQ) != 0) {
        packRows(packed, products + at, scoreRow, 0, rows, count, 4);
        const to = headAt(DQ, Q_STRIDES, b, h) + <usize>i * qRow;
        if (count == 0) clear(to, qRow, rows, keyWidth);
        multiply(packed, turnedKeys + (<usize>start << 5), to, qRow, rows, keyWidth, count, all, false);
      }
      if (dv != 0) {
        packColumns(packed, scores + at, scoreRow, 0, rows, count, 4);
        const dy = headAt(DY, Y_STRIDES, b, h) + <usize>i * yRow;
        packColumns(packedDy, dy, yRow, 0, rows, valueWidth, 8);
        multiply(packed, packedDy, dv + <usize>start * vRow, vRow, count, valueWidth, rows, rows, true);
      }
      if (dk != 0) {
        packColumns(packed, products + at, scoreRow, 0, rows, count, 4);
        const q = headAt(Q, Q_STRIDES, b, h) + <usize>i * qRow;
        packColumns(packedQ, q, qRow, 0, rows, keyWidth, 8);
        multiply(packed, packedQ, dk + <usize>start * kRow, kRow, count, keyWidth, rows, rows, true);
      }
    }
  }
}

/** Packs the keys and values of a head for products with queries and with gradients of the output. */
function packKeys(b: i32, kv: i32, start: i32, stop: i32): void {
  packRows(packedKeys, headAt(K, K_STRIDES, b, kv), address(K_STRIDES + 2), start, stop, int(KEY_WIDTH), 8);
  packRows(packedValues, headAt(V, V_STRIDES, b, kv), address(V_STRIDES + 2), start, stop, int(VALUE_WIDTH), 8);
}

function clear(to: usize, row: usize, rows: i32, width: i32): void {
  for (let r = 0; r < rows; r++) {
    memory.fill(to, 0, <usize>width << 2);
    to += row;
  }
}

/** Computes for `rows` queries the weights after dropout, to `scores`, and the gradients of the products, to `products`. */
function scoreGradients(b: i32, h: i32, query: i32, rows: i32, start: i32, stop: i32): void {
  const yRow = address(Y_STRIDES + 2), width = int(VALUE_WIDTH);
  score(b, h, query, rows, start, stop, true);
  packRows(packedDy, headAt(DY, Y_STRIDES, b, h) + <usize>query * yRow, yRow, 0, rows, width, 4);
  const values = packedValues + ((<usize>start * width) << 2);
  multiply(packedDy, values, products + (<usize>start << 2), scoreRow, rows, stop - start, width, width, false);
  const head = b * int(HEADS) + h;
  for (let r = 0; r < rows; r++) {
    const at = <usize>r * scoreRow;
    const stats = address(ROWS) + (<usize>(head * int(QUERIES) + query + r) << 4);
    gradientsOfRow(scores + at, products + at, slopes + at, stats, query + r, head, start, stop);
  }
}

function gradientsOfRow(
  row: usize,
  product: usize,
  slope: usize,
  stats: usize,
  query: i32,
  head: i32,
  start: i32,
  stop: i32,
): void {
  const bytes = <usize>up(stop, 4) << 2;
  const peak = v128.load_splat<f32>(stats), logSum = v128.load_splat<f32>(stats, 4);
  const delta = v128.load_splat<f32>(stats, 8);
  const scaled = address(PROGRAM) == 0;
  const scale = f32x4.splat(float(0));
  for (let o = <usize>start << 2; o < bytes; o += 16) {
    const s = v128.load(row + o);
    const hidden = f32x4.le(s, f32x4.splat(lowest));
    const weight = v128.andnot(exp(f32x4.sub(f32x4.sub(s, peak), logSum)), hidden);
    let p = weight, d = v128.load(product + o);
    if (int(DROPOUT) == 1) {
      const factor = kept(o, query, head);
      p = f32x4.mul(p, factor);
      d = f32x4.mul(d, factor);
    }
    const ds = f32x4.mul(weight, f32x4.sub(d, delta));
    const g = f32x4.mul(ds, scaled ? scale : v128.load(slope + o));
    v128.store(row + o, p);
    v128.store(product + o, v128.andnot(g, hidden));
  }
}

/**
 * Kernel: adds the gradients of one look-up to the gradient of its table, pair by pair. One chunk.
 *
 * The program's slope is the derivative of the score by the element; its fourth result is the element's index.
 */
export function attendTable(): void {
  begin();
  const group = int(GROUP), heads = int(HEADS), queries = int(QUERIES);
  const shift = int(KEYS) - queries;
  const all = stopOf(queries - 1 + shift), firstKey = blockStart(shift, all);
  for (let n = 0; n < int(PART); n++) {
    const b = n / heads, h = n % heads;
    packKeys(b, h / group, firstKey, all);
    for (let i = 0; i < queries; i += tall) {
      const rows = min(tall, queries - i);
      const stop = stopOf(i + rows - 1 + shift), start = blockStart(i + shift, stop);
      scoreGradients(b, h, i, rows, start, stop);
      for (let r = 0; r < rows; r++) {
        scatter(products + <usize>r * scoreRow, b, h, i + r + shift, shift, start, stop);
      }
    }
  }
}

/** Adds a row of gradients to the elements of a table. */
function scatter(row: usize, b: i32, h: i32, place: i32, shift: i32, start: i32, stop: i32): void {
  setQuery(address(PROGRAM), words, b, h, place, shift);
  const table = address(TABLE);
  for (let first = start; first < stop; first += block) {
    const count = min(block, stop - first);
    // The element depends on positions only, so the products may have any values.
    setKeys(row + (<usize>first << 2), first, up(count, 4));
    const element = result(3), step = stride(3) >> 2;
    for (let n = 0; n < count; n++) {
      const at = table + (<usize>load<i32>(element + <usize>(step == 0 ? 0 : n) * 4) << 2);
      store<f32>(at, load<f32>(at) + load<f32>(row + (<usize>(first + n) << 2)));
    }
  }
}
