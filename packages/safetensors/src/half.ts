/** The largest finite half. */
export const largestHalf = 65_504;

/** Its bits in float32. */
export const largestHalfBits = 0x477fe000;

/** The float32 bits of the smallest half with a full mantissa, 2^-14. */
const smallestNormal = 0x38800000;

/** The bits of the half nearest to a float32 of at most 65,504 in magnitude, given by its bits; ties to even. */
export function halfBits(float: number): number {
  const sign = (float >>> 16) & 0x8000;
  const magnitude = float & 0x7fffffff;
  if (magnitude >= smallestNormal) {
    const bits = magnitude - (112 << 23);
    return sign | ((bits + 0xfff + ((bits >>> 13) & 1)) >>> 13);
  }
  // Subnormal halves count in steps of 2^-24.
  const shift = 126 - (magnitude >>> 23);
  if (shift > 24) return sign;
  const bits = (magnitude & 0x7fffff) | 0x800000;
  return sign | ((bits + (1 << (shift - 1)) - 1 + ((bits >>> shift) & 1)) >>> shift);
}
