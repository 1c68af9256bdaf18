import { toFloat32 } from '@headwise/safetensors';
import { GgufError } from '../errors.js';
import { type GgmlType, ggmlTypes } from '../types.js';
import { type BlockType, blockForms, splitBlocks } from './blocks.js';

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
  const { group, minima: hasMinima } = blockForms[type];
  const { levels, scales, minima } = splitBlocks(bytes, type);
  for (let i = 0, g = 0; i < out.length; g++) {
    const [scale, minimum] = [scales[g]!, hasMinima ? minima[g]! : 0];
    for (const end = i + group; i < end; i++) {
      const product = fround(scale * levels[i]!);
      // A difference would turn -0 into 0.
      out[i] = hasMinima ? product - minimum : product;
    }
  }
}
