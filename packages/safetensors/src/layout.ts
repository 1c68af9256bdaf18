import { byteSize, DTYPES, type Dtype, dtypeOf, isDtype, type TensorData } from './dtypes.js';
import { METADATA_KEY } from './entries.js';
import { className, SafetensorsError, show } from './errors.js';
import { MAX_HEADER_BYTES, PREFIX_BYTES } from './header.js';
import { byCodePoint, checkText } from './unicode.js';

/** Bytes without an element type. */
export type RawBytes = DataView | ArrayBufferLike;

/** A tensor to write, its elements in row-major order. */
export interface TensorInput {
  /** Default: what `data` holds, F32 for a Float32Array and so on. */
  dtype?: Dtype | undefined;
  shape: readonly number[];
  /** Elements in the array type of `dtype`, or their little-endian bytes: a Uint8Array, a DataView or a buffer. */
  data: TensorData | RawBytes;
}

/** A tensor whose elements are fetched when it is its turn to be written. */
export interface LazyTensorInput {
  dtype: Dtype;
  shape: readonly number[];
  data: () => TensorData | RawBytes | Promise<TensorData | RawBytes>;
}

/** Free text about a file, written into its header. */
export type Metadata = Readonly<Record<string, string>>;

/** A tensor's place in the file. */
export interface Slot<Input> {
  key: string;
  input: Input;
  dtype: Dtype;
  bytes: number;
}

/** Where everything goes. */
export interface Layout<Input> {
  /** The file up to the data: length prefix, JSON, padding. */
  head: Uint8Array;
  /** The tensors in the order of their data. */
  slots: Slot<Input>[];
  fileBytes: number;
}

/**
 * The head of a file and the order of its tensors, as the reference implementation writes them.
 * @throws SafetensorsError naming the tensor, what was given and what was expected
 */
export function layOut<Input extends TensorInput | LazyTensorInput>(
  tensors: Readonly<Record<string, Input>>,
  metadata: Metadata,
  file: string,
): Layout<Input> {
  const slots = Object.entries(tensors).map(([key, input]) => slotOf(key, input, file));
  slots.sort(
    (a, b) => DTYPES.indexOf(b.dtype) - DTYPES.indexOf(a.dtype) || byCodePoint(a.key, b.key),
  );
  const entries = metadataEntry(metadata, file);
  let end = 0;
  for (const { key, input, dtype, bytes } of slots) {
    const entry = { dtype, shape: input.shape, data_offsets: [end, end + bytes] };
    entries.push(`${JSON.stringify(key)}:${JSON.stringify(entry)}`);
    end += bytes;
  }
  const json = new TextEncoder().encode(`{${entries.join(',')}}`);
  const headerBytes = Math.ceil(json.byteLength / 8) * 8;
  if (headerBytes > MAX_HEADER_BYTES) {
    const reason = `header needs ${headerBytes} bytes, the limit is ${MAX_HEADER_BYTES}`;
    throw new SafetensorsError(file, undefined, reason);
  }
  // Spaces fill the header up, so that the data begins on a multiple of 8 bytes.
  const head = new Uint8Array(PREFIX_BYTES + headerBytes).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(headerBytes), true);
  head.set(json, PREFIX_BYTES);
  return { head, slots, fileBytes: head.byteLength + end };
}

function slotOf<Input extends TensorInput | LazyTensorInput>(
  key: string,
  input: Input,
  file: string,
): Slot<Input> {
  checkText(key, { file, key });
  if (key === METADATA_KEY) {
    throw new SafetensorsError(file, key, 'is the name of the metadata, no tensor may have it');
  }
  const dtype = input.dtype ?? dtypeOf(input.data);
  if (!isDtype(dtype)) {
    const given = input.dtype ? show(input.dtype) : `unknown for data in ${className(input.data)}`;
    throw new SafetensorsError(file, key, `dtype is ${given}, expected one of ${DTYPES.join(' ')}`);
  }
  return { key, input, dtype, bytes: byteSize(dtype, input.shape, { file, key }) };
}

/** The header's entry for the metadata, keys sorted; none when there is nothing to say. */
function metadataEntry(metadata: Metadata, file: string): string[] {
  const pairs = Object.entries(metadata).sort(([a], [b]) => byCodePoint(a, b));
  const written = pairs.map(([key, text]) => {
    if (typeof text !== 'string') {
      const reason = `${show(key)} is ${show(text)}, expected a string`;
      throw new SafetensorsError(file, METADATA_KEY, reason);
    }
    checkText(key, { file, key: METADATA_KEY });
    checkText(text, { file, key: METADATA_KEY });
    return `${JSON.stringify(key)}:${JSON.stringify(text)}`;
  });
  return written.length === 0 ? [] : [`"${METADATA_KEY}":{${written.join(',')}}`];
}
