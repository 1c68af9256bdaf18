// Attention of a few new tokens over a cache of keys and values, which are read where they lie, and what is written to the cache.
import { packRow, unpackRow } from './halves';
import { exp, largest as largestOf, sum } from './math';
import { turnHalves, turnNeighbours } from './positions';
import { addCombined, dots } from './product';
import { lowest, runProgram, setWindow } from './score';
import { address, float, int, share } from './threads';

/** Query rows of a chunk: those that share keys read them from the first-level cache. */
const rowsOfChunk: i32 = 4;

/** Keys of a block; of halves it is unpacked first. */
const keysOfBlock: i32 = 32;

// Integers of all kernels of this file.
const Q = 0;
const K = 1; // of the cache
const V = 2;
const Y = 3;
const HEADS = 4;
const GROUP = 5; // query heads that share keys
const QUERIES = 6;
const CAPACITY = 7; // tokens that a sequence has room for
const WIDTH = 8;
const LENGTH = 9; // tokens of the longest sequence
const PLACES = 10; // or 0: the tokens of each sequence, and how many of them are new
const SCORE_SINKS = 11; // or 0: a score of each head that has no value
const COS = 12; // or 0
const SIN = 13;
const PAIRS = 14;
const TABLE_BYTES = 15; // from a sequence's tables to the next one's
const INTERLEAVED = 16;
const PROGRAM = 17; // of scores; 0: the products times float 0, and a query sees the tokens up to its own
const MEMORY = 18; // of all threads
const MEMORY_BYTES = 19; // of one
const HALVES = 20; // 1: the cache holds halves
const WINDOW_SINKS = 21; // tokens that keep their places
const WINDOW = 22; // places that later tokens take turns in
const ADDED_K = 23;
const ADDED_V = 24;

// @ts-ignore: decorator
@inline
function rowBytes(): usize {
  return int(HALVES) == 1 ? <usize>((int(WIDTH) + 1) >> 1) << 2 : <usize>int(WIDTH) << 2;
}

/** The tokens of a sequence. */
// @ts-ignore: decorator
@inline
function tokensOf(sequence: i32): i32 {
  return address(PLACES) == 0 ? int(LENGTH) : load<i32>(address(PLACES) + (<usize>sequence << 3));
}

/** How many of them are new. */
// @ts-ignore: decorator
@inline
function newOf(sequence: i32): i32 {
  return address(PLACES) == 0 ? int(QUERIES) : load<i32>(address(PLACES) + (<usize>sequence << 3), 4);
}

/** Writes new token t of a sequence turned by its angles, or as it is. */
function turnRow(to: usize, x: usize, sequence: i32, t: i32): void {
  const bytes = <usize>int(WIDTH) << 2, pairs = address(COS) == 0 ? 0 : int(PAIRS);
  const turned = <usize>pairs << 3;
  if (pairs > 0) {
    const at = <usize>sequence * address(TABLE_BYTES) + ((<usize>t * pairs) << 2);
    if (int(INTERLEAVED) == 1) turnNeighbours(x, to, address(COS) + at, address(SIN) + at, pairs, 1);
    else turnHalves(x, to, address(COS) + at, address(SIN) + at, pairs, 1);
  }
  memory.copy(to + turned, x + turned, bytes - turned);
}

/** Rows of the cache from a key on: where they lie, or unpacked to an address. */
function rowsAt(cache: usize, first: i32, count: i32, unpacked: usize): usize {
  const from = cache + <usize>first * rowBytes();
  if (int(HALVES) == 0) return from;
  const width = int(WIDTH);
  for (let n = 0; n < count; n++) {
    unpackRow(unpacked + ((<usize>n * width) << 2), from + <usize>n * rowBytes(), width);
  }
  return unpacked;
}

/** Kernel: attention over the cache. A chunk is up to four of the query rows of a sequence that share keys. */
export function attendCache(chunk: i32): void {
  const queries = int(QUERIES), group = int(GROUP), width = int(WIDTH);
  const rows = group * queries, kvHeads = int(HEADS) / group;
  const parts = (rows + rowsOfChunk - 1) / rowsOfChunk;
  const b = chunk / parts / kvHeads, kv = (chunk / parts) % kvHeads;
  const first = (chunk % parts) * rowsOfChunk, count = min(rowsOfChunk, rows - first);
  const end = tokensOf(b), shift = end - newOf(b), held = min(end, int(CAPACITY));
  const row = <usize>width << 2, scoreRow = (<usize>held << 2) + 16;
  // A thread's memory: queries, a block of the cache, scores, the values of the program.
  const turned = share(address(MEMORY), address(MEMORY_BYTES));
  const unpacked = turned + <usize>rowsOfChunk * row;
  const scores = unpacked + <usize>keysOfBlock * row;
  const values = (scores + <usize>rowsOfChunk * scoreRow + 15) & ~15;
  const cache = <usize>((b * kvHeads + kv) * int(CAPACITY)) * rowBytes();
  const place = <usize>((b * kvHeads + kv) * rows + first) * row;
  for (let r = 0; r < count; r++) {
    turnRow(turned + <usize>r * row, address(Q) + place + <usize>r * row, b, (first + r) % queries);
  }
  for (let key = 0; key < held; key += keysOfBlock) {
    const n = min(keysOfBlock, held - key);
    const block = rowsAt(address(K) + cache, key, n, unpacked);
    for (let r = 0; r < count; r++) {
      dots(turned + <usize>r * row, block, scores + <usize>r * scoreRow + (<usize>key << 2), n, width);
    }
  }
  if (int(WINDOW) > 0) setWindow(int(WINDOW_SINKS), int(WINDOW), end);
  const y = address(Y) + place;
  memory.fill(y, 0, <usize>count * row);
  for (let r = 0; r < count; r++) {
    // Padding has the position of the last token.
    const position = min(shift + ((first + r) % queries), max(end, 1) - 1);
    const h = kv * group + (first + r) / queries;
    weigh(scores + <usize>r * scoreRow, values, b, h, position, shift, held);
  }
  if (int(WINDOW) > 0) setWindow(0, 0, 0);
  for (let key = 0; key < held; key += keysOfBlock) {
    const n = min(keysOfBlock, held - key);
    const block = rowsAt(address(V) + cache, key, n, unpacked);
    for (let r = 0; r < count; r++) {
      const weights = scores + <usize>r * scoreRow + (<usize>key << 2);
      addCombined(weights, block, row, y + <usize>r * row, width, n);
    }
  }
}

/** Turns the products of a query with `held` keys into weights; zeros where all keys are masked. */
function weigh(row: usize, values: usize, b: i32, h: i32, position: i32, shift: i32, held: i32): void {
  const end = row + (<usize>((held + 3) & ~3) << 2);
  let seen = held;
  if (address(PROGRAM) == 0) {
    if (int(WINDOW) == 0) seen = min(held, position + 1);
    const scale = f32x4.splat(float(0));
    for (let o = row; o < end; o += 16) v128.store(o, f32x4.mul(v128.load(o), scale));
  } else {
    runProgram(address(PROGRAM), values, row, 0, 0, seen, b, h, position, shift);
  }
  for (let o = row + (<usize>seen << 2); o < end; o += 4) store<f32>(o, lowest);
  let peaks = f32x4.splat(lowest);
  for (let o = row; o < end; o += 16) peaks = f32x4.max(peaks, v128.load(o));
  let peak = largestOf(peaks);
  let total: f32 = 0;
  if (address(SCORE_SINKS) != 0) {
    const sink = load<f32>(address(SCORE_SINKS) + (<usize>h << 2));
    peak = max(peak, sink);
    total = f32x4.extract_lane(exp(f32x4.splat(sink - peak)), 0);
  }
  const p = f32x4.splat(peak);
  let totals = f32x4.splat(0);
  for (let o = row; o < end; o += 16) {
    const weight = exp(f32x4.sub(v128.load(o), p));
    totals = f32x4.add(totals, weight);
    v128.store(o, weight);
  }
  total += sum(totals);
  // NaN scores give NaN.
  const factor = f32x4.splat(peak <= lowest && total >= 0 ? 0 : 1 / total);
  for (let o = row; o < end; o += 16) v128.store(o, f32x4.mul(v128.load(o), factor));
}

/** Kernel: writes the keys, turned, and values of new tokens to their places. A chunk is a head of a sequence. */
export function appendTokens(chunk: i32): void {
  const width = int(WIDTH), tokens = int(QUERIES), sinks = int(WINDOW_SINKS), window = int(WINDOW);
  const b = chunk / int(HEADS);
  const end = tokensOf(b), count = min(newOf(b), tokens), first = end - newOf(b);
  const row = <usize>width << 2, bytes = rowBytes();
  const turned = share(address(MEMORY), address(MEMORY_BYTES));
  for (let t = 0; t < count; t++) {
    const token = first + t;
    // Of tokens that share a place, the last stays.
    if (token >= sinks && token + window < end) continue;
    const slot = token < sinks ? token : sinks + ((token - sinks) % window);
    const at = <usize>(chunk * int(CAPACITY) + slot) * bytes;
    const from = <usize>(chunk * tokens + t) * row;
    if (int(HALVES) == 1) {
      turnRow(turned, address(ADDED_K) + from, b, t);
      packRow(address(K) + at, turned, width);
      packRow(address(V) + at, address(ADDED_V) + from, width);
    } else {
      turnRow(address(K) + at, address(ADDED_K) + from, b, t);
      memory.copy(address(V) + at, address(ADDED_V) + from, row);
    }
  }
}

/** Kernel: the first `int(2)` of `int(3)` rows of halves at 0 as numbers, `int(4)` wide, to 1. A chunk is the rows of a head. */
export function unpackHalves(chunk: i32): void {
  const rows = int(2), width = int(4);
  const words = <usize>((width + 1) >> 1) << 2;
  const from = address(0) + <usize>(chunk * int(3)) * words;
  const to = address(1) + ((<usize>(chunk * rows) * width) << 2);
  for (let r = 0; r < rows; r++) unpackRow(to + ((<usize>r * width) << 2), from + <usize>r * words, width);
}
