import { halfBits } from '@headwise/safetensors/internal';
import { floatBits, GgufHalfError } from './half.js';

/** Values of a block. */
const size = 32;

/**
 * Values as blocks of `d, q₀ … q₃₁`: `q = round(x / d)` in int8, ties away from zero, with `d = max |x| / 127` in float16.
 *
 * Bit for bit what `quantize_row_q8_0_ref` of ggml computes, in float32.
 *
 * @param values `[n]`, a multiple of 32
 * @returns `34 n / 32` bytes
 */
export function quantizeQ8(values: Float32Array): Uint8Array {
  const { fround, abs, trunc } = Math;
  const out = new Uint8Array((values.length / size) * (size + 2));
  let at = 0;
  for (let begin = 0; begin < values.length; begin += size) {
    let most = 0;
    for (let i = begin; i < begin + size; i++) most = Math.max(most, abs(values[i]!));
    const d = fround(most / 127);
    const inverse = d === 0 ? 0 : fround(1 / d);
    const bits = halfBits(floatBits(d));
    if (d > 65_504) throw new GgufHalfError(d);
    out[at++] = bits & 0xff;
    out[at++] = bits >> 8;
    for (let i = begin; i < begin + size; i++) {
      const scaled = fround(values[i]! * inverse);
      // roundf: half away from zero.
      out[at++] = trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    }
  }
  return out;
}
