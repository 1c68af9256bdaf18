// Dropout by Philox: drops the values that `src/dropout/reference.ts` drops.
import { draw, word } from './philox';
import { address, float, int } from './threads';

/** Blocks of 256 values in a chunk. */
const blocksOfChunk: i32 = 32;

/**
 * Kernel: 0 x, 1 y, 2 values, 3 and 4 the key, 5 the threshold; float 0: what kept values are multiplied by.
 *
 * Of each 256 values, the four words of a counter belong to values that lie 64 apart: a word of four counters to four neighbours.
 */
export function dropout(chunk: i32): void {
  const size = int(2), last = min((chunk + 1) * blocksOfChunk, (size + 255) >> 8);
  const zero = i32x4.splat(0), threshold = i32x4.splat(int(5)), scale = f32x4.splat(float(0));
  for (let block = chunk * blocksOfChunk; block < last; block++) {
    for (let lane = 0; lane < 64; lane += 4) {
      const counters = i32x4.add(i32x4.splat((block << 6) + lane), i32x4(0, 1, 2, 3));
      draw(counters, zero, zero, int(3), int(4));
      for (let n = 0; n < 4; n++) {
        const factors = v128.and(i32x4.ge_u(word(n), threshold), scale);
        multiply((block << 8) + (n << 6) + lane, size, factors);
      }
    }
  }
}

/** Multiplies four values, or as many of them as there are. */
function multiply(first: i32, size: i32, factors: v128): void {
  const x = address(0) + (<usize>first << 2), y = address(1) + (<usize>first << 2);
  if (first + 4 <= size) {
    v128.store(y, f32x4.mul(v128.load(x), factors));
    return;
  }
  if (first < size) store<f32>(y, load<f32>(x) * f32x4.extract_lane(factors, 0));
  if (first + 1 < size) store<f32>(y, load<f32>(x, 4) * f32x4.extract_lane(factors, 1), 4);
  if (first + 2 < size) store<f32>(y, load<f32>(x, 8) * f32x4.extract_lane(factors, 2), 8);
}
