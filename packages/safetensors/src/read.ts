import { asBytes, type Bytes } from './bytes.js';
import { arrayOf, type Dtype, type TensorData } from './dtypes.js';
import type { TensorInfo } from './entries.js';
import { SafetensorsError } from './errors.js';
import { PREFIX_BYTES, parseHeader, parseHeaderLength, type SafetensorsHeader } from './header.js';

/** A tensor's elements in row-major order, with their type and shape. */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** A whole file in memory, whose tensors are views of its bytes. */
export class SafetensorsFile {
  /** By name, in the order of the data. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly header: SafetensorsHeader,
    private readonly name: string,
  ) {
    this.tensors = header.tensors;
    this.metadata = header.metadata;
  }

  /**
   * The tensor of this name: a view of the file's bytes, or a copy where they are not aligned for its type.
   * @throws SafetensorsError when the file holds no such tensor
   */
  get(name: string): Tensor {
    const info = tensorInfo(this.tensors, name, this.name);
    const [begin, end] = info.offsets;
    const { dataStart } = this.header;
    return viewTensor(info, this.bytes.subarray(dataStart + begin, dataStart + end));
  }
}

/**
 * Reads a whole file, refusing one that contradicts itself.
 * @param file its bytes; kept, not copied
 * @param options `name` stands for the file in errors
 * @throws SafetensorsError naming the file, the entry, what it says and what was expected
 */
export function readSafetensors(
  file: Bytes,
  { name = 'safetensors' }: { name?: string | undefined } = {},
): SafetensorsFile {
  const bytes = asBytes(file, name);
  const source = { name, fileBytes: bytes.byteLength };
  const length = parseHeaderLength(bytes.subarray(0, PREFIX_BYTES), source);
  const header = parseHeader(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length), source);
  return new SafetensorsFile(bytes, header, name);
}

/** Where the tensor of this name lies, or an error that names the file. */
export function tensorInfo(
  tensors: ReadonlyMap<string, TensorInfo>,
  name: string,
  file: string,
): TensorInfo {
  const info = tensors.get(name);
  if (info) return info;
  throw new SafetensorsError(file, name, `is not among the file's ${tensors.size} tensors`);
}

/** Bytes as a tensor: a view where they are aligned for its type, else a copy. */
export function viewTensor(
  { dtype, shape }: Pick<TensorInfo, 'dtype' | 'shape'>,
  elements: Bytes,
): Tensor {
  const bytes = asBytes(elements, 'viewTensor');
  const ArrayType = arrayOf(dtype);
  const { buffer, byteOffset, byteLength } =
    bytes.byteOffset % ArrayType.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  const data = new ArrayType(buffer, byteOffset, byteLength / ArrayType.BYTES_PER_ELEMENT);
  return { dtype, shape, data };
}
