// AdamW, sums of squares, and rows of tables.
import { sum } from './math';
import { address, float, int } from './threads';

/** Numbers of a chunk, as a power of two. */
const shift: i32 = 14;

/**
 * Kernel: a step of AdamW for `int(8)` numbers: 0 value, 1 gradient, 2 a scalar that multiplies it, or 0, 3 m, 4 v; 5 to 7 the new value, m and v.
 * Floats: β₁, β₂, 1 − β₁, 1 − β₂, ε, 1 − η λ, `η / (1 − β₁^t)`, `1 / √(1 − β₂^t)`.
 */
export function adamw(chunk: i32): void {
  const at = <usize>chunk << (shift + 2);
  const end = min(at + (<usize>1 << (shift + 2)), <usize>int(8) << 2);
  const factor: f32 = address(2) == 0 ? 1 : load<f32>(address(2));
  const f = f32x4.splat(factor), beta1 = f32x4.splat(float(0)), beta2 = f32x4.splat(float(1));
  const rest1 = f32x4.splat(float(2)), rest2 = f32x4.splat(float(3)), epsilon = f32x4.splat(float(4));
  const kept = f32x4.splat(float(5)), size = f32x4.splat(float(6)), root = f32x4.splat(float(7));
  let o = at;
  for (; o + 16 <= end; o += 16) {
    const g = f32x4.mul(v128.load(address(1) + o), f);
    const m = f32x4.add(f32x4.mul(beta1, v128.load(address(3) + o)), f32x4.mul(rest1, g));
    const v = f32x4.add(f32x4.mul(beta2, v128.load(address(4) + o)), f32x4.mul(rest2, f32x4.mul(g, g)));
    const change = f32x4.mul(size, f32x4.div(m, f32x4.add(f32x4.mul(f32x4.sqrt(v), root), epsilon)));
    v128.store(address(5) + o, f32x4.sub(f32x4.mul(v128.load(address(0) + o), kept), change));
    v128.store(address(6) + o, m);
    v128.store(address(7) + o, v);
  }
  for (; o < end; o += 4) {
    const g = load<f32>(address(1) + o) * factor;
    const m = float(0) * load<f32>(address(3) + o) + float(2) * g;
    const v = float(1) * load<f32>(address(4) + o) + float(3) * (g * g);
    const change = float(6) * (m / (sqrt<f32>(v) * float(7) + float(4)));
    store<f32>(address(5) + o, load<f32>(address(0) + o) * float(5) - change);
    store<f32>(address(6) + o, m);
    store<f32>(address(7) + o, v);
  }
}

/** Kernel: `Σ (f x)²` of each piece: 0 a list of their addresses and sizes, 1 the sums, f64; float 0 f. A chunk is a piece. */
export function squareSums(chunk: i32): void {
  const piece = address(0) + (<usize>chunk << 3);
  const x = <usize>load<u32>(piece), bytes = <usize>load<u32>(piece, 4) << 2;
  const f = f32x4.splat(float(0));
  let total: f64 = 0;
  let o: usize = 0;
  // Sums of 64 squares in float32; the sum of these sums in float64.
  while (o + 16 <= bytes) {
    const end = min(o + 256, bytes & ~15);
    let s = f32x4.splat(0);
    for (; o < end; o += 16) {
      const v = f32x4.mul(v128.load(x + o), f);
      s = f32x4.add(s, f32x4.mul(v, v));
    }
    total += <f64>sum(s);
  }
  for (; o < bytes; o += 4) {
    const v = load<f32>(x + o) * float(0);
    total += <f64>(v * v);
  }
  store<f64>(address(1) + (<usize>chunk << 3), total);
}

/** Kernel: gathers rows of a table: 0 table, 1 ids, 2 the rows, 3 number of ids, 4 width. A chunk is 64 rows. */
export function gatherRows(chunk: i32): void {
  const bytes = <usize>int(4) << 2;
  const last = min((chunk + 1) << 6, int(3));
  for (let n = chunk << 6; n < last; n++) {
    const id = <usize>load<i32>(address(1) + (<usize>n << 2));
    memory.copy(address(2) + <usize>n * bytes, address(0) + id * bytes, bytes);
  }
}

/** Kernel: scatter-add in the order of the ids: 0 rows, 1 ids, 2 table, 3 number of ids, 4 width. A chunk is 32 columns. */
export function scatterRows(chunk: i32): void {
  const width = int(4), first = chunk << 5;
  const row = <usize>width << 2, bytes = <usize>min(32, width - first) << 2;
  let from = address(0) + (<usize>first << 2);
  for (let n = 0; n < int(3); n++) {
    const to = address(2) + <usize>load<i32>(address(1) + (<usize>n << 2)) * row + (<usize>first << 2);
    let o: usize = 0;
    for (; o + 16 <= bytes; o += 16) v128.store(to + o, f32x4.add(v128.load(to + o), v128.load(from + o)));
    for (; o < bytes; o += 4) store<f32>(to + o, load<f32>(to + o) + load<f32>(from + o));
    from += row;
  }
}
