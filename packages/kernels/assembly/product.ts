// Products of matrices: operands are packed, then multiplied in tiles of 4 × 8 numbers that stay in registers.
import { activation, slope } from './activation';
import { address, int, scratch } from './threads';

/** Steps multiplied at a time: a panel of 8 columns and this many steps stays in the first-level cache. */
export const blockOfSteps: i32 = 512;

/**
 * Packs `count` lines of `k` numbers into a panel `width` (4 or 8) wide: number i of line j goes to `i · width + j`; missing lines are zeros.
 *
 * @param line bytes from one line to the next; 4 for lines that lie side by side
 * @param step bytes from one number of a line to the next; `line` or `step` is 4
 */
export function pack(to: usize, from: usize, line: usize, step: usize, count: i32, k: i32, width: i32): void {
  const row = <usize>width << 2;
  if (count == width && line == 4) {
    for (let i = 0; i < k; i++) {
      v128.store(to, v128.load(from));
      if (width == 8) v128.store(to, v128.load(from, 16), 16);
      from += step;
      to += row;
    }
    return;
  }
  if (step == 4) {
    // Four lines become columns.
    const whole = k & ~3;
    for (let j = 0; j < width; j += 4) {
      let target = to + (<usize>j << 2);
      if (j + 4 > count) {
        packPart(target, from, line, step, max(count - j, 0), k, row);
      } else {
        let a = from, b = a + line, c = b + line, d = c + line;
        for (let i = 0; i < whole; i += 4) {
          transpose(target, row, v128.load(a), v128.load(b), v128.load(c), v128.load(d));
          a += 16, b += 16, c += 16, d += 16;
          target += row << 2;
        }
        packPart(target, a, line, step, 4, k - whole, row);
      }
      from += line << 2;
    }
    return;
  }
  for (let j = 0; j < width; j += 4) {
    packPart(to + (<usize>j << 2), from, line, step, min(max(count - j, 0), 4), k, row);
    from += line << 2;
  }
}

/** Writes the transpose of four rows of four numbers, `row` bytes from one column to the next. */
export function transpose(to: usize, row: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
  const cd = i8x16.shuffle(c, d, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
  const abh = i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
  const cdh = i8x16.shuffle(c, d, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
  v128.store(to, i8x16.shuffle(ab, cd, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
  to += row;
  v128.store(to, i8x16.shuffle(ab, cd, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31));
  to += row;
  v128.store(to, i8x16.shuffle(abh, cdh, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
  to += row;
  v128.store(to, i8x16.shuffle(abh, cdh, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31));
}

/** Packs at most four lines, one number at a time. */
function packPart(to: usize, from: usize, line: usize, step: usize, count: i32, k: i32, row: usize): void {
  for (let i = 0; i < k; i++) {
    v128.store(to, f32x4.splat(0));
    let at = from;
    for (let j = 0; j < count; j++) {
      store<f32>(to + (<usize>j << 2), load<f32>(at));
      at += line;
    }
    from += step;
    to += row;
  }
}

/** `c = a b`, or with `adds` `c + a b`, for 4 rows and 8 columns of c, from packed operands of k steps. */
function tile(a: usize, b: usize, k: i32, c: usize, row: usize, adds: bool): void {
  let c00 = f32x4.splat(0);
  let c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  const c1 = c + row, c2 = c1 + row, c3 = c2 + row;
  if (adds) {
    c00 = v128.load(c);
    c01 = v128.load(c, 16);
    c10 = v128.load(c1);
    c11 = v128.load(c1, 16);
    c20 = v128.load(c2);
    c21 = v128.load(c2, 16);
    c30 = v128.load(c3);
    c31 = v128.load(c3, 16);
  }
  const end = a + (<usize>k << 4);
  while (a < end) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let s = v128.load_splat<f32>(a);
    c00 = f32x4.add(c00, f32x4.mul(s, b0));
    c01 = f32x4.add(c01, f32x4.mul(s, b1));
    s = v128.load_splat<f32>(a, 4);
    c10 = f32x4.add(c10, f32x4.mul(s, b0));
    c11 = f32x4.add(c11, f32x4.mul(s, b1));
    s = v128.load_splat<f32>(a, 8);
    c20 = f32x4.add(c20, f32x4.mul(s, b0));
    c21 = f32x4.add(c21, f32x4.mul(s, b1));
    s = v128.load_splat<f32>(a, 12);
    c30 = f32x4.add(c30, f32x4.mul(s, b0));
    c31 = f32x4.add(c31, f32x4.mul(s, b1));
    a += 16;
    b += 32;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c1, c10);
  v128.store(c1, c11, 16);
  v128.store(c2, c20);
  v128.store(c2, c21, 16);
  v128.store(c3, c30);
  v128.store(c3, c31, 16);
}

/** Copies a block of rows, each `columns` numbers long. */
function copyPart(to: usize, toRow: usize, from: usize, fromRow: usize, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++) {
    memory.copy(to, from, <usize>columns << 2);
    to += toRow;
    from += fromRow;
  }
}

/**
 * `c = a b`, or with `adds` `c + a b`, from packed operands.
 *
 * @param a rows in groups of 4, `k` steps each
 * @param b columns in panels of 8, `k` steps each
 * @param row bytes of a row of c
 * @param panel steps of a panel of b; the first k are used
 */
export function multiply(
  a: usize,
  b: usize,
  c: usize,
  row: usize,
  rows: i32,
  columns: i32,
  k: i32,
  panel: i32,
  adds: bool,
): void {
  for (let start = 0; start < k; start += blockOfSteps) {
    const steps = min(blockOfSteps, k - start);
    for (let j = 0; j < columns; j += 8) {
      const from = b + ((<usize>j * panel + ((<usize>start) << 3)) << 2);
      const to = c + (<usize>j << 2);
      panelProduct(a + (<usize>start << 4), k, from, steps, to, row, rows, min(8, columns - j), adds || start > 0);
    }
  }
}

/**
 * A product with one panel, of at most 8 columns.
 *
 * @param a the first step of the first group of 4 rows
 * @param k steps of a group; `steps` of them are used
 */
export function panelProduct(
  a: usize,
  k: i32,
  panel: usize,
  steps: i32,
  c: usize,
  row: usize,
  rows: i32,
  columns: i32,
  adds: bool,
): void {
  const part = scratch();
  for (let i = 0; i < rows; i += 4) {
    const group = a + ((<usize>i * k) << 2);
    const to = c + <usize>i * row;
    if (i + 4 <= rows && columns == 8) {
      tile(group, panel, steps, to, row, adds);
    } else {
      const r = min(4, rows - i);
      if (adds) copyPart(part, 32, to, row, r, columns);
      tile(group, panel, steps, part, 32, adds);
      copyPart(to, row, part, 32, r, columns);
    }
  }
}

/** Kernel: packs `int(5)` lines of `int(6)` numbers in panels of `int(4)` lines. A chunk is a panel. */
export function packLines(chunk: i32): void {
  const line = address(2), width = int(4), k = int(6);
  const first = chunk * width;
  const to = address(0) + ((<usize>first * k) << 2);
  pack(to, address(1) + <usize>first * line, line, address(3), min(width, int(5) - first), k, width);
}

/**
 * Kernel: a product of packed operands, then `finish`. A chunk is `int(6)` rows and `int(7)` columns of it.
 *
 * 0 a, 1 b, 2 c, 3 rows, 4 columns, 5 steps, 6 rows and 7 columns of a chunk,
 * 8 bias or 0, 9 added values or 0, 10 where the values before the activation are kept or 0, 11 activation,
 * 12 values z or 0: the product is multiplied by the activation's slope at z, in place of the activation
 */
export function product(chunk: i32): void {
  const rows = int(3), columns = int(4), k = int(5), tall = int(6), wide = int(7);
  const across = (columns + wide - 1) / wide;
  const i = (chunk / across) * tall, j = (chunk % across) * wide;
  const row = <usize>columns << 2;
  const m = min(tall, rows - i), n = min(wide, columns - j);
  const at = <usize>i * row + (<usize>j << 2);
  const a = address(0) + ((<usize>i * k) << 2), b = address(1) + ((<usize>j * k) << 2);
  multiply(a, b, address(2) + at, row, m, n, k, k, false);
  finish(at, row, m, n, j);
}

/** Applies bias, activation or slope, and addition to a part of a product, `at` bytes from its start. */
export function finish(at: usize, row: usize, rows: i32, columns: i32, column: i32): void {
  const bias = address(8), added = address(9), kept = address(10), kind = int(11), before = address(12);
  if (bias == 0 && added == 0 && kept == 0 && kind == 0) return;
  const whole = columns & ~3;
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < whole; j += 4) {
      const o = at + (<usize>j << 2);
      let z = v128.load(address(2) + o);
      if (bias != 0) z = f32x4.add(z, v128.load(bias + (<usize>(column + j) << 2)));
      if (kept != 0) v128.store(kept + o, z);
      if (before != 0) z = f32x4.mul(z, slope(kind, v128.load(before + o)));
      else if (kind != 0) z = activation(kind, z);
      if (added != 0) z = f32x4.add(z, v128.load(added + o));
      v128.store(address(2) + o, z);
    }
    for (let j = whole; j < columns; j++) {
      const o = at + (<usize>j << 2);
      let z = load<f32>(address(2) + o);
      if (bias != 0) z += load<f32>(bias + (<usize>(column + j) << 2));
      if (kept != 0) store<f32>(kept + o, z);
      if (before != 0) z *= f32x4.extract_lane(slope(kind, f32x4.splat(load<f32>(before + o))), 0);
      else if (kind != 0) z = f32x4.extract_lane(activation(kind, f32x4.splat(z)), 0);
      if (added != 0) z += load<f32>(added + o);
      store<f32>(address(2) + o, z);
    }
    at += row;
  }
}

/** Kernel: the sums of the columns of a matrix, `int(2)` × `int(3)`. A chunk is 16 columns. */
export function columnSums(chunk: i32): void {
  const rows = int(2), columns = int(3);
  const first = chunk << 4;
  const row = <usize>columns << 2;
  let from = address(0) + (<usize>first << 2);
  const to = address(1) + (<usize>first << 2);
  if (first + 16 <= columns) {
    let a = f32x4.splat(0), b = a, c = a, d = a;
    for (let r = 0; r < rows; r++) {
      a = f32x4.add(a, v128.load(from));
      b = f32x4.add(b, v128.load(from, 16));
      c = f32x4.add(c, v128.load(from, 32));
      d = f32x4.add(d, v128.load(from, 48));
      from += row;
    }
    v128.store(to, a);
    v128.store(to, b, 16);
    v128.store(to, c, 32);
    v128.store(to, d, 48);
    return;
  }
  for (let j = 0; j < columns - first; j++) {
    let total: f32 = 0;
    for (let r = 0; r < rows; r++) total += load<f32>(from + <usize>r * row + (<usize>j << 2));
    store<f32>(to + (<usize>j << 2), total);
  }
}

/**
 * Kernel: one to four rows times a matrix that is not packed, then `finish`. A chunk is `int(7)` columns.
 *
 * Arguments as for `product`, except 0 x, 1 the matrix, and 13: 1 if the matrix is transposed.
 */
export function rowsProduct(chunk: i32): void {
  const rows = int(3), columns = int(4), k = int(5), wide = int(7);
  const j = chunk * wide, n = min(wide, columns - j);
  const row = <usize>columns << 2;
  for (let r = 0; r < rows; r++) {
    const x = address(0) + ((<usize>r * k) << 2);
    const to = address(2) + <usize>r * row + (<usize>j << 2);
    if (int(13) == 1) dots(x, address(1) + ((<usize>j * k) << 2), to, n, k);
    else {
      memory.fill(to, 0, <usize>n << 2);
      addCombined(x, address(1) + (<usize>j << 2), row, to, n, k);
    }
  }
  finish(<usize>j << 2, row, rows, n, j);
}

/** Dot products of x with n rows of k numbers. */
export function dots(x: usize, w: usize, to: usize, n: i32, k: i32): void {
  const row = <usize>k << 2;
  const whole = <usize>(k & ~3) << 2;
  for (let j = 0; j < n; j++) {
    let a = f32x4.splat(0), b = a, c = a, d = a;
    let i: usize = 0;
    for (; i + 64 <= whole; i += 64) {
      a = f32x4.add(a, f32x4.mul(v128.load(x + i), v128.load(w + i)));
      b = f32x4.add(b, f32x4.mul(v128.load(x + i, 16), v128.load(w + i, 16)));
      c = f32x4.add(c, f32x4.mul(v128.load(x + i, 32), v128.load(w + i, 32)));
      d = f32x4.add(d, f32x4.mul(v128.load(x + i, 48), v128.load(w + i, 48)));
    }
    for (; i < whole; i += 16) a = f32x4.add(a, f32x4.mul(v128.load(x + i), v128.load(w + i)));
    a = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
    let total =
      f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1) + (f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3));
    for (; i < row; i += 4) total += load<f32>(x + i) * load<f32>(w + i);
    store<f32>(to, total);
    to += 4;
    w += row;
  }
}

/** Adds the sum of k rows of n numbers, each times a number of x; four rows at a time. */
export function addCombined(x: usize, w: usize, row: usize, to: usize, n: i32, k: i32): void {
  const whole = <usize>(n & ~3) << 2, end = <usize>n << 2;
  let i = 0;
  for (; i + 4 <= k; i += 4) {
    const s = v128.load_splat<f32>(x), t = v128.load_splat<f32>(x, 4);
    const u = v128.load_splat<f32>(x, 8), v = v128.load_splat<f32>(x, 12);
    const w1 = w + row, w2 = w1 + row, w3 = w2 + row;
    let j: usize = 0;
    for (; j < whole; j += 16) {
      let y = f32x4.add(f32x4.mul(s, v128.load(w + j)), f32x4.mul(t, v128.load(w1 + j)));
      y = f32x4.add(y, f32x4.add(f32x4.mul(u, v128.load(w2 + j)), f32x4.mul(v, v128.load(w3 + j))));
      v128.store(to + j, f32x4.add(v128.load(to + j), y));
    }
    for (; j < end; j += 4) {
      const y = load<f32>(x) * load<f32>(w + j) + load<f32>(x, 4) * load<f32>(w1 + j);
      const z = load<f32>(x, 8) * load<f32>(w2 + j) + load<f32>(x, 12) * load<f32>(w3 + j);
      store<f32>(to + j, load<f32>(to + j) + (y + z));
    }
    x += 16;
    w = w3 + row;
  }
  for (; i < k; i++) {
    for (let j: usize = 0; j < end; j += 4) {
      store<f32>(to + j, load<f32>(to + j) + load<f32>(x) * load<f32>(w + j));
    }
    x += 4;
    w += row;
  }
}
