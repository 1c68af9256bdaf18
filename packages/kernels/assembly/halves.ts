// Halves, two in a word, the first in the lower bits.

/** The numbers of four finite halves, in the lower 16 bits of each lane; a factor of 2^112 changes the exponent's bias, also of subnormal halves. */
// @ts-ignore: decorator
@inline
export function fromHalves(bits: v128): v128 {
  const magnitude = i32x4.shl(v128.and(bits, i32x4.splat(0x7fff)), 13);
  const sign = i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16);
  return v128.or(f32x4.mul(magnitude, f32x4.splat(5.192296858534828e33)), sign); // 2^112
}

/** The nearest halves of four numbers, of ties the even one, at most 65,504; of NaN a NaN. */
function toHalves(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(0x80000000));
  const magnitude = f32x4.min(v128.xor(x, sign), f32x4.splat(65504));
  // Below 2^-14 an addition of ½ leaves the digits of a half in the lowest bits.
  const small = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), f32x4.splat(0.5));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff - (112 << 23))), odd);
  let bits = v128.bitselect(small, i32x4.shr_u(rounded, 13), f32x4.lt(magnitude, f32x4.splat(6.103515625e-5)));
  bits = v128.bitselect(i32x4.splat(0x7e00), bits, f32x4.ne(x, x));
  return v128.or(bits, i32x4.shr_u(sign, 16));
}

/** Writes a row of numbers as halves; behind an odd width lies a 0. */
export function packRow(to: usize, x: usize, width: i32): void {
  let i = 0;
  for (; i + 8 <= width; i += 8) {
    const a = toHalves(v128.load(x)), b = toHalves(v128.load(x, 16));
    const first = i8x16.shuffle(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    const second = i8x16.shuffle(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    v128.store(to, v128.or(first, i32x4.shl(second, 16)));
    x += 32;
    to += 16;
  }
  for (; i < width; i += 2) {
    const second: f32 = i + 1 < width ? load<f32>(x, 4) : 0;
    const bits = toHalves(f32x4(load<f32>(x), second, 0, 0));
    store<i32>(to, i32x4.extract_lane(bits, 0) | (i32x4.extract_lane(bits, 1) << 16));
    x += 8;
    to += 4;
  }
}

/** Writes a row of halves as numbers. */
export function unpackRow(to: usize, words: usize, width: i32): void {
  let i = 0;
  for (; i + 8 <= width; i += 8) {
    const w = v128.load(words);
    const a = fromHalves(w), b = fromHalves(i32x4.shr_u(w, 16));
    v128.store(to, i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23));
    v128.store(to, i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31), 16);
    words += 16;
    to += 32;
  }
  for (; i < width; i++) {
    const bits = load<u16>(words + (<usize>(i & 7) << 1));
    store<f32>(to, f32x4.extract_lane(fromHalves(i32x4.splat(<i32>bits)), 0));
    to += 4;
  }
}
