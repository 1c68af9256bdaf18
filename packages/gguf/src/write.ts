import { GgufError } from './errors.js';
import { GgufBytes, type GgufMetadata, writeEntry } from './metadata.js';
import { quantize } from './quantize/quantize.js';
import { ggmlTypes, type WrittenType } from './types.js';

/** A tensor to write; its values are fetched and quantised when it is its turn. */
export interface GgufTensor {
  type: WrittenType;
  /** Row-major, the last axis contiguous; a file lists the axes in the reverse order. */
  shape: readonly number[];
  values: () => Float32Array | Promise<Float32Array>;
}

/** Every tensor begins on a multiple of this. */
const alignment = 32;

const padded = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

/**
 * A GGUF file of version 3 in chunks: the head, then one chunk a tensor.
 *
 * @param tensors by the names of llama.cpp, in the order in which they are written
 * @throws GgufError where a row is not made of whole blocks, a shape and its values disagree, or a type does not hold a value
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export async function* streamGguf(
  metadata: GgufMetadata,
  tensors: Readonly<Record<string, GgufTensor>>,
): AsyncGenerator<Uint8Array> {
  yield head(metadata, tensors);
  for (const [name, tensor] of Object.entries(tensors)) {
    const values = await tensor.values();
    if (values.length !== countOf(tensor)) {
      throw new GgufError(
        `tensor '${name}' has ${values.length} values; expected ${countOf(tensor)} of shape [${tensor.shape.join(', ')}]`,
      );
    }
    const bytes = quantized(name, values, tensor.type);
    yield bytes;
    const rest = padded(bytes.length) - bytes.length;
    if (rest > 0) yield new Uint8Array(rest);
  }
}

function head(metadata: GgufMetadata, tensors: Readonly<Record<string, GgufTensor>>): Uint8Array {
  const out = new GgufBytes();
  for (const letter of 'GGUF') out.u8(letter.charCodeAt(0));
  out.u32(3);
  out.u64(Object.keys(tensors).length);
  out.u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) writeEntry(out, key, value);
  let offset = 0;
  for (const [name, tensor] of Object.entries(tensors)) {
    out.string(name);
    out.u32(tensor.shape.length);
    for (const size of [...tensor.shape].reverse()) out.u64(size);
    out.u32(ggmlTypes[tensor.type].code);
    out.u64(offset);
    offset += padded(bytesOf(name, tensor));
  }
  out.pad(alignment);
  return out.bytes;
}

const countOf = ({ shape }: GgufTensor): number => shape.reduce((count, size) => count * size, 1);

function bytesOf(name: string, tensor: GgufTensor): number {
  const { values, bytes } = ggmlTypes[tensor.type];
  const row = tensor.shape.at(-1) ?? 1;
  if (row % values === 0) return (countOf(tensor) / values) * bytes;
  throw new GgufError(
    `tensor '${name}' has rows of ${row} values; ${tensor.type} takes multiples of ${values}`,
  );
}

function quantized(name: string, values: Float32Array, type: WrittenType): Uint8Array {
  try {
    return quantize(values, type);
  } catch (error) {
    if (!(error instanceof GgufError)) throw error;
    throw new GgufError(`tensor '${name}': ${error.message}`, { cause: error });
  }
}
