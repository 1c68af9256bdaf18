import { fromFloat32 } from '@headwise/safetensors';
import { GgufError } from '../errors.js';
import type { WrittenType } from '../types.js';
import { quantizeQ4K } from './q4-k.js';
import { quantizeQ8 } from './q8-0.js';

const encoders: Readonly<Record<WrittenType, (values: Float32Array) => ArrayBufferView>> = {
  f32: (values) => values,
  f16: (values) => fromFloat32(values, 'F16'),
  q8_0: quantizeQ8,
  q4_k: quantizeQ4K,
};

/**
 * The bytes of a tensor in a type of ggml, bit for bit those of its reference.
 *
 * @param values `[n]`, whole blocks of the type, row after row
 * @throws GgufError for a value that float16 does not hold
 */
export function quantize(values: Float32Array, type: WrittenType): Uint8Array {
  try {
    const { buffer, byteOffset, byteLength } = encoders[type](values);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (error) {
    if (error instanceof RangeError) throw new GgufError(error.message, { cause: error });
    throw error;
  }
}
