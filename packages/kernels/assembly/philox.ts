// Philox 4x32-10, the numbers of `src/philox/philox.ts`.
let w0: u32 = 0;
let w1: u32 = 0;
let w2: u32 = 0;
let w3: u32 = 0;

/** Draws four words for a counter `[c0, c1, c2, 0]` and a key, 0xffffffff where `word ≥ threshold`, else 0. */
export function atLeast(c0: u32, c1: u32, c2: u32, key0: u32, key1: u32, threshold: u32): v128 {
  draw(c0, c1, c2, key0, key1);
  return i32x4.ge_u(i32x4(w0, w1, w2, w3), i32x4.splat(threshold));
}

function draw(c0: u32, c1: u32, c2: u32, key0: u32, key1: u32): void {
  w0 = c0;
  w1 = c1;
  w2 = c2;
  w3 = 0;
  for (let round = 0; round < 10; round++) {
    const p = <u64>w0 * 0xd2511f53, q = <u64>w2 * 0xcd9e8d57;
    w0 = <u32>(q >> 32) ^ w1 ^ key0;
    w1 = <u32>q;
    w2 = <u32>(p >> 32) ^ w3 ^ key1;
    w3 = <u32>p;
    key0 += 0x9e3779b9;
    key1 += 0xbb67ae85;
  }
}
