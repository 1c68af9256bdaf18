const largestHalf = 65_504;

/**
 * Elements in single precision, rounded to 16 bits: the nearest value, ties to even.
 *
 * @returns the bits of each element
 * @throws RangeError for F16, where a finite value is beyond ±65,504
 */
export function fromFloat32(values: Float32Array, dtype: 'F16' | 'BF16'): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    bits[i] = dtype === 'BF16' ? bfloat16Bits(words[i]!) : halfBits(values[i]!, words[i]!, i);
  }
  return bits;
}

/** The upper half of a float32; a NaN keeps a fraction that is not zero. */
function bfloat16Bits(word: number): number {
  if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

const scratch = new Float32Array(1);
const scratchWord = new Uint32Array(scratch.buffer);

function halfBits(value: number, word: number, index: number): number {
  const sign = (word >>> 16) & 0x8000;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return sign | 0x7e00;
  if (size === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  if (size > largestHalf) {
    throw new RangeError(`value ${index} is ${value}; F16 holds at most ${largestHalf}`);
  }
  // Below 2^-14 a half counts in steps of 2^-24: adding ½ lets the float's own rounding make them.
  if (size < 2 ** -14) {
    scratch[0] = size + 0.5;
    return sign | (scratchWord[0]! - 0x3f000000);
  }
  const rebased = (word & 0x7fffffff) - (112 << 23);
  return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
}
