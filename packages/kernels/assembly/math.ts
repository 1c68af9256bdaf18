// Elementary functions of four numbers.

// @ts-ignore: decorator
@inline
export function fill(x: f32): v128 {
  return f32x4.splat(x);
}

// @ts-ignore: decorator
@inline
function horner(x: v128, y: v128, c: f32): v128 {
  return f32x4.add(f32x4.mul(x, y), f32x4.splat(c));
}

/**
 * `e^x`, with a relative error of 2e-7; 0 below −87.3, where the result would not be a normal number, ∞ above 88.7, NaN for NaN.
 *
 * `x = n ln 2 + r`, `|r| ≤ ½ ln 2`, with Cephes' polynomial for `e^r`.
 */
export function exp(x: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504)));
  const r = f32x4.sub(
    f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375))),
    f32x4.mul(n, f32x4.splat(-2.12194440e-4)),
  );
  let p = f32x4.splat(1.9875691500e-4);
  p = horner(p, r, 1.3981999507e-3);
  p = horner(p, r, 8.3334519073e-3);
  p = horner(p, r, 4.1665795894e-2);
  p = horner(p, r, 1.6666665459e-1);
  p = horner(p, r, 5.0000001201e-1);
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1));
  // Two factors, because 2^128 overflows.
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  const first = i32x4.shl(i32x4.add(half, i32x4.splat(127)), 23);
  const second = i32x4.shl(i32x4.add(i32x4.sub(whole, half), i32x4.splat(127)), 23);
  let y = f32x4.mul(f32x4.mul(p, first), second);
  y = v128.andnot(y, f32x4.lt(x, f32x4.splat(-87.3)));
  y = v128.bitselect(f32x4.splat(Infinity), y, f32x4.gt(x, f32x4.splat(88.722839)));
  return v128.bitselect(x, y, f32x4.ne(x, x));
}

/** `ln x` of normal numbers, with an error of 2e-7 of the result or of 1; −∞ for 0, ∞ for ∞, NaN below 0 and for NaN. */
export function log(x: v128): v128 {
  const bits = i32x4.sub(x, i32x4.splat(0x3f3504f3)); // of √½
  const e = f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23));
  const m = i32x4.add(v128.and(bits, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const f = f32x4.sub(m, f32x4.splat(1));
  const z = f32x4.mul(f, f);
  let p = f32x4.splat(7.0376836292e-2);
  p = horner(p, f, -1.1514610310e-1);
  p = horner(p, f, 1.1676998740e-1);
  p = horner(p, f, -1.2420140846e-1);
  p = horner(p, f, 1.4249322787e-1);
  p = horner(p, f, -1.6668057665e-1);
  p = horner(p, f, 2.0000714765e-1);
  p = horner(p, f, -2.4999993993e-1);
  p = horner(p, f, 3.3333331174e-1);
  let y = f32x4.mul(f32x4.mul(p, f), z);
  y = f32x4.add(y, f32x4.mul(e, f32x4.splat(-2.12194440e-4)));
  y = f32x4.sub(y, f32x4.mul(z, f32x4.splat(0.5)));
  y = f32x4.add(f32x4.add(f, y), f32x4.mul(e, f32x4.splat(0.693359375)));
  const zero = f32x4.splat(0);
  y = v128.bitselect(f32x4.splat(-Infinity), y, f32x4.eq(x, zero));
  y = v128.bitselect(x, y, f32x4.eq(x, f32x4.splat(Infinity)));
  return v128.bitselect(f32x4.splat(NaN), y, v128.or(f32x4.lt(x, zero), f32x4.ne(x, x)));
}

/** `1 / (1 + e^−x)` */
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp(f32x4.min(f32x4.neg(x), f32x4.splat(87)))));
}

/** `tanh x`; by its series where x is small, where the quotient would lose digits. */
export function tanh(x: v128): v128 {
  const near = f32x4.max(f32x4.min(x, f32x4.splat(15)), f32x4.splat(-15));
  const one = f32x4.splat(1);
  const e = exp(f32x4.add(near, near));
  const quotient = f32x4.div(f32x4.sub(e, one), f32x4.add(e, one));
  const s = f32x4.mul(near, near);
  let p = f32x4.splat(-0.0539682540);
  p = horner(p, s, 0.1333333333);
  p = horner(p, s, -0.3333333333);
  p = horner(p, s, 1);
  const small = f32x4.lt(f32x4.abs(near), f32x4.splat(0.1));
  return v128.bitselect(f32x4.mul(near, p), quotient, small);
}

/** `Φ(x)`, the normal distribution, from `Φ(−a) = e^(−a²/2) P(1 / (1 + 0.3 a))`, which keeps the digits of small values. */
export function normalDistribution(x: v128): v128 {
  const one = f32x4.splat(1);
  const a = f32x4.min(f32x4.abs(x), f32x4.splat(13));
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(f32x4.splat(0.3), a)));
  let p = f32x4.splat(0.035957169);
  p = horner(p, t, -0.158355603);
  p = horner(p, t, 0.208292902);
  p = horner(p, t, -0.055421492);
  p = horner(p, t, 0.129454346);
  p = horner(p, t, 0.099651118);
  p = horner(p, t, 0.120794796);
  p = horner(p, t, 0.1196267);
  const tail = f32x4.mul(f32x4.mul(exp(f32x4.mul(f32x4.mul(a, a), f32x4.splat(-0.5))), t), p);
  return v128.bitselect(f32x4.sub(one, tail), tail, f32x4.gt(x, f32x4.splat(0)));
}

/** The sum of four numbers. */
// @ts-ignore: decorator
@inline
export function sum(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) +
    f32x4.extract_lane(x, 1) +
    (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

/** The largest of four numbers; NaN if one is. */
// @ts-ignore: decorator
@inline
export function largest(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}
