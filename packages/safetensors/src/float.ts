import { arrayOf, type Dtype } from './dtypes.js';
import { SafetensorsError } from './errors.js';
import { type Tensor, viewTensor } from './read.js';

/** How a float of at most 16 bits is laid out: sign, exponent, fraction. */
interface FloatLayout {
  exponentBits: number;
  fractionBits: number;
  /** Whether the highest exponent holds infinities and NaNs, as in IEEE 754. */
  infinities: boolean;
}

const NARROW: Partial<Record<Dtype, FloatLayout>> = {
  F16: { exponentBits: 5, fractionBits: 10, infinities: true },
  F8_E5M2: { exponentBits: 5, fractionBits: 2, infinities: true },
  // No infinity; only all ones is NaN (https://arxiv.org/abs/2209.05433).
  F8_E4M3: { exponentBits: 4, fractionBits: 3, infinities: false },
};

/**
 * A floating-point tensor's elements in single precision.
 * @returns the tensor's own array for F32, else `into`, with values of F64 (rounded), F16, BF16, F8_E4M3 and F8_E5M2 (exact)
 * @param options the file and tensor that an error names; `into`, as long as the tensor, default a new array
 * @throws SafetensorsError when the tensor holds no floats of these types
 */
export function toFloat32(
  { dtype, data: given }: Pick<Tensor, 'dtype' | 'data'>,
  {
    file = 'safetensors',
    key,
    into,
  }: { file?: string | undefined; key?: string | undefined; into?: Float32Array | undefined } = {},
): Float32Array {
  // Bytes stand for the elements that they hold.
  const isBytes = given instanceof Uint8Array && arrayOf(dtype) !== Uint8Array;
  const { data } = isBytes ? viewTensor({ dtype, shape: [] }, given) : { data: given };
  if (dtype === 'F32' && data instanceof Float32Array) return data;
  const out = into ?? new Float32Array(data.length);
  if (out.length !== data.length) {
    throw new SafetensorsError(
      file,
      key,
      `has ${data.length} values, there is room for ${out.length}`,
    );
  }
  if (dtype === 'F64' && data instanceof Float64Array) {
    out.set(data);
    return out;
  }
  if (dtype === 'BF16' && data instanceof Uint16Array) return widenBfloat16(data, out);
  const layout = NARROW[dtype];
  if (layout && (data instanceof Uint16Array || data instanceof Uint8Array)) {
    const values = valueTable(dtype, layout);
    for (let i = 0; i < data.length; i++) out[i] = values[data[i]!]!;
    return out;
  }
  throw new SafetensorsError(
    file,
    key,
    `${dtype} does not convert to float32, expected one of F64 F32 F16 BF16 F8_E4M3 F8_E5M2`,
  );
}

/** A bfloat16 is the upper half of a float32. */
function widenBfloat16(bits: Uint16Array, out: Float32Array): Float32Array {
  const words = new Int32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return out;
}

const tables = new Map<Dtype, Float32Array>();

/** The value of every bit pattern: at most 65536 of them, so a table is the fastest decoder. */
function valueTable(dtype: Dtype, layout: FloatLayout): Float32Array {
  let table = tables.get(dtype);
  if (!table) {
    const size = 2 ** (1 + layout.exponentBits + layout.fractionBits);
    table = Float32Array.from({ length: size }, (_, bits) => decode(bits, layout));
    tables.set(dtype, table);
  }
  return table;
}

/** `(−1)^s · 2^(e − bias) · 1.f`, or `(−1)^s · 2^(1 − bias) · 0.f` where the exponent is zero. */
function decode(bits: number, { exponentBits, fractionBits, infinities }: FloatLayout): number {
  const highest = 2 ** exponentBits - 1;
  const bias = highest >> 1;
  const sign = bits >> (exponentBits + fractionBits) ? -1 : 1;
  const exponent = (bits >> fractionBits) & highest;
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  if (exponent === highest) {
    if (infinities) return fraction === 0 ? sign * Infinity : NaN;
    if (fraction === 1 - 2 ** -fractionBits) return NaN;
  }
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias);
  return sign * (1 + fraction) * 2 ** (exponent - bias);
}
