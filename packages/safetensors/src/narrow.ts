import { halfBits, largestHalf } from './half.js';

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
    bits[i] = dtype === 'BF16' ? bfloat16Bits(words[i]!) : checkedHalf(values[i]!, words[i]!, i);
  }
  return bits;
}

/** The upper half of a float32; a NaN keeps a fraction that is not zero. */
function bfloat16Bits(word: number): number {
  if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

function checkedHalf(value: number, word: number, index: number): number {
  if (Math.abs(value) <= largestHalf) return halfBits(word);
  const sign = (word >>> 16) & 0x8000;
  if (Number.isNaN(value)) return sign | 0x7e00;
  if (Number.isFinite(value)) {
    throw new RangeError(`value ${index} is ${value}; F16 holds at most ${largestHalf}`);
  }
  return sign | 0x7c00;
}
