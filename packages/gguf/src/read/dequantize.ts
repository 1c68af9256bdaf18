import { toFloat32 } from '@headwise/safetensors';
import { GgufError } from '../errors.js';
import { type GgmlType, ggmlTypes } from '../types.js';
import { type BlockType, blockForms, partsOf } from './blocks.js';

const plain = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;

/**
 * The values of a tensor in a type of ggml, bit for bit those of PyPI's `gguf`: `x = s q − m`, each step rounded to float32.
 *
 * @param bytes whole blocks of the type, row after row
 * @param into where the values go, default a new array
 * @returns `[n]`
 * @throws GgufError where bytes are not whole blocks, or `into` has another length
 */
export function dequantize(bytes: Uint8Array, type: GgmlType, into?: Float32Array): Float32Array {
  const layout = ggmlTypes[type];
  const count = (bytes.length / layout.bytes) * layout.values;
  if (!Number.isInteger(count / layout.values)) {
    throw new GgufError(
      `dequantize: ${bytes.length} bytes of ${type}; expected a multiple of ${layout.bytes}`,
    );
  }
  const out = into ?? new Float32Array(count);
  if (out.length !== count) {
    throw new GgufError(`dequantize: ${count} values; there is room for ${out.length}`);
  }
  if (type === 'f32') {
    new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
  } else if (type === 'f16' || type === 'bf16') {
    toFloat32({ dtype: plain[type], data: bytes }, { into: out });
  } else {
    dequantizeBlocks(bytes, type, out);
  }
  return out;
}

function dequantizeBlocks(bytes: Uint8Array, type: BlockType, out: Float32Array): void {
  const { fround } = Math;
  const { values, bytes: size } = ggmlTypes[type];
  const form = blockForms[type];
  const parts = partsOf(values, form);
  const { levels, scales, minima } = parts;
  const { group } = form;
  for (let at = 0, first = 0; at < bytes.length; at += size, first += values) {
    form.split(bytes, at, parts);
    for (let i = 0; i < values; i++) {
      const j = Math.floor(i / group);
      const product = fround(scales[j]! * levels[i]!);
      out[first + i] = form.minima ? product - minima[j]! : product;
    }
  }
}
