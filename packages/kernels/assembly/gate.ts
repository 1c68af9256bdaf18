// Activations beside products: their slopes, and gates.
import { activation, slope } from './activation';
import { address, int, scratch } from './threads';

/** Numbers of a chunk, as a power of two. */
const shift: i32 = 14;

/** Kernel: `dz = dy f'(z)`: 0 dz, 1 dy, 2 z, 3 numbers, 4 the activation. A chunk is 16,384 numbers. */
export function timesSlope(chunk: i32): void {
  const from = chunk << 14;
  const count = min(1 << 14, int(3) - from);
  const at = <usize>from << 2;
  const to = address(0) + at, dy = address(1) + at, z = address(2) + at;
  const kind = int(4);
  const whole = <usize>(count & ~3) << 2, end = <usize>count << 2;
  let i: usize = 0;
  for (; i < whole; i += 16) v128.store(to + i, f32x4.mul(v128.load(dy + i), slope(kind, v128.load(z + i))));
  for (; i < end; i += 4) {
    store<f32>(to + i, load<f32>(dy + i) * f32x4.extract_lane(slope(kind, f32x4.splat(load<f32>(z + i))), 0));
  }
}

/** Kernel: `h = f(g) u`: 0 h, 1 g, 2 u, 3 numbers, 4 the activation. A chunk is 16,384 numbers. */
export function gate(chunk: i32): void {
  const first = chunk << shift, count = min(1 << shift, int(3) - first);
  const kind = int(4), last = scratch();
  for (let i = 0; i < count; i += 4) {
    const at = <usize>(first + i) << 2, n = min(4, count - i);
    const h = f32x4.mul(activation(kind, part(address(1) + at, n, last)), part(address(2) + at, n, last));
    write(address(0) + at, h, n, last);
  }
}

/** Kernel: `dg = dh u f'(g)` and `du = dh f(g)`: 0 dh, 1 g, 2 u, 3 numbers, 4 the activation, 5 dg, 6 du. */
export function gateGradient(chunk: i32): void {
  const first = chunk << shift, count = min(1 << shift, int(3) - first);
  const kind = int(4), last = scratch();
  for (let i = 0; i < count; i += 4) {
    const at = <usize>(first + i) << 2, n = min(4, count - i);
    const dh = part(address(0) + at, n, last), g = part(address(1) + at, n, last), u = part(address(2) + at, n, last);
    write(address(5) + at, f32x4.mul(f32x4.mul(dh, u), slope(kind, g)), n, last);
    write(address(6) + at, f32x4.mul(dh, activation(kind, g)), n, last);
  }
}

/** Up to four numbers; what lies behind them is not read. */
// @ts-ignore: decorator
@inline
function part(at: usize, count: i32, last: usize): v128 {
  if (count == 4) return v128.load(at);
  memory.copy(last, at, <usize>count << 2);
  return v128.load(last);
}

// @ts-ignore: decorator
@inline
function write(at: usize, x: v128, count: i32, last: usize): void {
  if (count == 4) {
    v128.store(at, x);
    return;
  }
  v128.store(last, x);
  memory.copy(at, last, <usize>count << 2);
}
