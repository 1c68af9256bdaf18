// What depends on a token's position: rotary embedding, and rows of a table added to each sequence.
import { address, float, int } from './threads';

/** Positions of a chunk of `rotary`, and values of a chunk of the others as a power of two. */
const positionsOfChunk: i32 = 16;
const shift: i32 = 12;

/**
 * Kernel: rotary embedding. A chunk is 16 positions of a sequence, in all heads.
 *
 * 0 x, 1 cos, 2 sin, 3 y, 4 positions, 5 heads, 6 first head that turns, 7 the one after the last, 8 width, 9 pairs,
 * 10 1: interleaved; bytes from sequence to sequence: 11 of x, 14 of the tables; 12 from head to head, 13 from position to position.
 * Float 0: −1 turns back, 1 forth.
 */
export function rotary(chunk: i32): void {
  const positions = int(4), heads = int(5), pairs = int(9), interleaved = int(10) == 1;
  const parts = (positions + positionsOfChunk - 1) / positionsOfChunk;
  const sequence = <usize>(chunk / parts), first = (chunk % parts) * positionsOfChunk;
  const width = <usize>int(8) << 2;
  for (let t = first; t < min(first + positionsOfChunk, positions); t++) {
    const angles = sequence * address(14) + ((<usize>t * pairs) << 2);
    const cos = address(1) + angles, sin = address(2) + angles;
    let at = sequence * address(11) + <usize>t * address(13);
    for (let h = 0; h < heads; h++) {
      const x = address(0) + at, y = address(3) + at;
      if (h < int(6) || h >= int(7)) {
        memory.copy(y, x, width);
      } else {
        if (interleaved) turnNeighbours(x, y, cos, sin, pairs, float(0));
        else turnHalves(x, y, cos, sin, pairs, float(0));
        const turned = <usize>pairs << 3;
        if (turned < width) memory.copy(y + turned, x + turned, width - turned);
      }
      at += address(12);
    }
  }
}

/** Turns channel i with channel i + pairs: `(a cos − b sin, b cos + a sin)`. */
export function turnHalves(x: usize, y: usize, cos: usize, sin: usize, pairs: i32, sign: f32): void {
  const half = <usize>pairs << 2, s = f32x4.splat(sign);
  let o: usize = 0;
  for (; o + 16 <= half; o += 16) {
    const a = v128.load(x + o), b = v128.load(x + half + o);
    const c = v128.load(cos + o), d = f32x4.mul(v128.load(sin + o), s);
    v128.store(y + o, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, d)));
    v128.store(y + half + o, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, d)));
  }
  for (; o < half; o += 4) turnOne(x + o, y + o, half, load<f32>(cos + o), load<f32>(sin + o) * sign);
}

/** Turns channel 2i with channel 2i + 1. */
export function turnNeighbours(x: usize, y: usize, cos: usize, sin: usize, pairs: i32, sign: f32): void {
  const end = <usize>pairs << 2, s = f32x4.splat(sign);
  let o: usize = 0;
  for (; o + 16 <= end; o += 16) {
    const from = x + (o << 1), to = y + (o << 1);
    const p = v128.load(from), q = v128.load(from, 16);
    const a = i8x16.shuffle(p, q, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    const b = i8x16.shuffle(p, q, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    const c = v128.load(cos + o), d = f32x4.mul(v128.load(sin + o), s);
    const u = f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, d)), v = f32x4.add(f32x4.mul(b, c), f32x4.mul(a, d));
    v128.store(to, i8x16.shuffle(u, v, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23));
    v128.store(to, i8x16.shuffle(u, v, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31), 16);
  }
  for (; o < end; o += 4) {
    turnOne(x + (o << 1), y + (o << 1), 4, load<f32>(cos + o), load<f32>(sin + o) * sign);
  }
}

/** Turns one pair, whose second member lies `beside` bytes behind the first. */
function turnOne(x: usize, y: usize, beside: usize, c: f32, s: f32): void {
  const a = load<f32>(x), b = load<f32>(x + beside);
  store<f32>(y, a * c - b * s);
  store<f32>(y + beside, b * c + a * s);
}

/** Kernel: adds `int(3)` values at 1 to each of `int(4)` sequences at 0, to 2. A chunk is 4,096 values of all sequences. */
export function addRows(chunk: i32): void {
  const first = chunk << shift, bytes = <usize>(min(1 << shift, int(3) - first)) << 2;
  const sequence = <usize>int(3) << 2;
  let at = <usize>first << 2;
  const table = address(1) + at;
  for (let b = 0; b < int(4); b++) {
    const x = address(0) + at, y = address(2) + at;
    let o: usize = 0;
    for (; o + 16 <= bytes; o += 16) v128.store(y + o, f32x4.add(v128.load(x + o), v128.load(table + o)));
    for (; o < bytes; o += 4) store<f32>(y + o, load<f32>(x + o) + load<f32>(table + o));
    at += sequence;
  }
}

/** Kernel: sums of `int(4)` sequences of `int(3)` values at 0, in their order, to 1. A chunk is 4,096 values. */
export function sumSequences(chunk: i32): void {
  const first = chunk << shift, bytes = <usize>(min(1 << shift, int(3) - first)) << 2;
  const sequence = <usize>int(3) << 2;
  const x = address(0) + (<usize>first << 2), to = address(1) + (<usize>first << 2);
  memory.copy(to, x, bytes);
  for (let b = 1; b < int(4); b++) {
    const from = x + <usize>b * sequence;
    let o: usize = 0;
    for (; o + 16 <= bytes; o += 16) v128.store(to + o, f32x4.add(v128.load(to + o), v128.load(from + o)));
    for (; o < bytes; o += 4) store<f32>(to + o, load<f32>(to + o) + load<f32>(from + o));
  }
}
