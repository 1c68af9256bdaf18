import { SafetensorsError, show } from './errors.js';

/** An element type of the format, by its name in the header. */
export type Dtype =
  | 'BOOL'
  | 'F4'
  | 'F6_E2M3'
  | 'F6_E3M2'
  | 'U8'
  | 'I8'
  | 'F8_E5M2'
  | 'F8_E4M3'
  | 'F8_E8M0'
  | 'F8_E4M3FNUZ'
  | 'F8_E5M2FNUZ'
  | 'I16'
  | 'U16'
  | 'F16'
  | 'BF16'
  | 'I32'
  | 'U32'
  | 'F32'
  | 'C64'
  | 'F64'
  | 'I64'
  | 'U64';

/** The typed array of a tensor's elements; narrow floats and packed types are held as bits. */
export type TensorData =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** A typed array class that can view a part of a buffer. */
export interface TensorDataClass {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TensorData;
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
}

// In the reference's order of alignment, smallest first: writers lay tensors out from the end of this list.
// https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs
const TABLE: Record<Dtype, { bits: number; array: TensorDataClass }> = {
  BOOL: { bits: 8, array: Uint8Array },
  F4: { bits: 4, array: Uint8Array },
  F6_E2M3: { bits: 6, array: Uint8Array },
  F6_E3M2: { bits: 6, array: Uint8Array },
  U8: { bits: 8, array: Uint8Array },
  I8: { bits: 8, array: Int8Array },
  F8_E5M2: { bits: 8, array: Uint8Array },
  F8_E4M3: { bits: 8, array: Uint8Array },
  F8_E8M0: { bits: 8, array: Uint8Array },
  F8_E4M3FNUZ: { bits: 8, array: Uint8Array },
  F8_E5M2FNUZ: { bits: 8, array: Uint8Array },
  I16: { bits: 16, array: Int16Array },
  U16: { bits: 16, array: Uint16Array },
  F16: { bits: 16, array: Uint16Array },
  BF16: { bits: 16, array: Uint16Array },
  I32: { bits: 32, array: Int32Array },
  U32: { bits: 32, array: Uint32Array },
  F32: { bits: 32, array: Float32Array },
  C64: { bits: 64, array: Float32Array },
  F64: { bits: 64, array: Float64Array },
  I64: { bits: 64, array: BigInt64Array },
  U64: { bits: 64, array: BigUint64Array },
};

/** Every element type of the format, in the reference's order of alignment, smallest first. */
export const DTYPES: readonly Dtype[] = Object.keys(TABLE) as Dtype[];

/** Whether the format knows an element type of this name. */
export function isDtype(name: unknown): name is Dtype {
  return typeof name === 'string' && Object.hasOwn(TABLE, name);
}

/** The typed array class that holds elements of `dtype`. */
export function arrayOf(dtype: Dtype): TensorDataClass {
  return TABLE[dtype].array;
}

const PLAIN: readonly Dtype[] = [
  'U8',
  'I8',
  'I16',
  'U16',
  'I32',
  'U32',
  'F32',
  'F64',
  'I64',
  'U64',
];

/** The element type that data holds when nothing else is said: F32 for a Float32Array, and so on. */
export function dtypeOf(data: unknown): Dtype | undefined {
  return PLAIN.find((dtype) => data instanceof TABLE[dtype].array);
}

/**
 * The bytes that a tensor fills: `Π shape × bits(dtype) / 8`.
 * @throws SafetensorsError when a size is not a count, the product leaves 2^53, or bits fill no whole byte
 */
export function byteSize(
  dtype: Dtype,
  shape: readonly number[],
  { file, key }: { file: string; key: string },
): number {
  const wrong = shape.findIndex((size) => !Number.isSafeInteger(size) || size < 0);
  if (wrong >= 0) {
    throw new SafetensorsError(
      file,
      key,
      `shape[${wrong}] is ${show(shape[wrong])}, expected a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`,
    );
  }
  const bits = shape.includes(0) ? 0 : shape.reduce((a, b) => a * b, TABLE[dtype].bits);
  if (bits > Number.MAX_SAFE_INTEGER) {
    throw new SafetensorsError(
      file,
      key,
      `shape ${show(shape)} of ${dtype} needs ${bits} bits, more than ${Number.MAX_SAFE_INTEGER}`,
    );
  }
  if (bits % 8 !== 0) {
    throw new SafetensorsError(
      file,
      key,
      `shape ${show(shape)} of ${dtype} needs ${bits} bits, which is not a whole number of bytes`,
    );
  }
  return bits / 8;
}
