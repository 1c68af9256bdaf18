/** The largest finite half. */
export const largestHalf = 65_504;

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The bits of the half that is nearest to a number of at most 65,504, ties to even. */
export function halfBits(value: number): number {
  float[0] = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  // Below 2^-14 a half counts in steps of 2^-24: adding ½ lets the float's own rounding make them.
  if (float[0] < 2 ** -14) {
    float[0] += 0.5;
    return sign | (word[0]! - 0x3f000000);
  }
  const bits = word[0]! - (112 << 23);
  return sign | ((bits + 0xfff + ((bits >>> 13) & 1)) >>> 13);
}
