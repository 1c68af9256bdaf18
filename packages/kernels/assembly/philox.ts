// Philox 4x32-10, the numbers of `src/philox/philox.ts`, for four counters at a time.
let w0: v128 = i32x4.splat(0);
let w1: v128 = i32x4.splat(0);
let w2: v128 = i32x4.splat(0);
let w3: v128 = i32x4.splat(0);

/** Word n, 0 to 3, of each counter that was drawn for last. */
// @ts-ignore: decorator
@inline
export function word(n: i32): v128 {
  return n == 0 ? w0 : n == 1 ? w1 : n == 2 ? w2 : w3;
}

/** The upper halves of four products of 32-bit numbers. */
// @ts-ignore: decorator
@inline
function upper(a: v128, b: v128): v128 {
  const low = i64x2.extmul_low_i32x4_u(a, b), high = i64x2.extmul_high_i32x4_u(a, b);
  return i8x16.shuffle(low, high, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}

/** Draws four words for each counter `[c0, c1, c2, 0]` with a key. */
export function draw(c0: v128, c1: v128, c2: v128, key0: u32, key1: u32): void {
  const m0 = i32x4.splat(0xd2511f53), m1 = i32x4.splat(0xcd9e8d57);
  let a = c0, b = c1, c = c2, d = i32x4.splat(0);
  for (let round = 0; round < 10; round++) {
    const p = upper(a, m0), q = upper(c, m1);
    const first = v128.xor(v128.xor(q, b), i32x4.splat(key0));
    const third = v128.xor(v128.xor(p, d), i32x4.splat(key1));
    b = i32x4.mul(c, m1);
    d = i32x4.mul(a, m0);
    a = first;
    c = third;
    key0 += 0x9e3779b9;
    key1 += 0xbb67ae85;
  }
  w0 = a;
  w1 = b;
  w2 = c;
  w3 = d;
}
