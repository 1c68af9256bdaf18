import {
  arrayOf,
  byteSize,
  DTYPES,
  type Dtype,
  dtypeOf,
  isDtype,
  type TensorData,
} from './dtypes.js';
import { quote, SafetensorsError, show } from './errors.js';
import { MAX_HEADER_BYTES, METADATA_KEY, PREFIX_BYTES } from './header.js';

/** A tensor to write, its elements in row-major order. */
export interface TensorInput {
  /** Default: what `data` holds, F32 for a Float32Array and so on. */
  dtype?: Dtype;
  shape: readonly number[];
  /** Elements in the array type of `dtype`, or their little-endian bytes as a Uint8Array. */
  data: TensorData;
}

/** A tensor whose elements are fetched when it is its turn to be written. */
export interface LazyTensorInput {
  dtype: Dtype;
  shape: readonly number[];
  data: () => TensorData | Promise<TensorData>;
}

/** Free text about a file, written into its header. */
export type Metadata = Readonly<Record<string, string>>;

interface Slot<Input> {
  key: string;
  input: Input;
  dtype: Dtype;
  bytes: number;
}

interface Layout<Input> {
  /** The file up to the data: length prefix, JSON, padding. */
  head: Uint8Array;
  /** The tensors in the order of their data. */
  slots: Slot<Input>[];
  fileBytes: number;
}

/**
 * A whole file in memory, byte for byte what the reference implementation writes.
 * @param tensors by name, in any order
 * @throws SafetensorsError naming the tensor, what was given and what was expected
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, TensorInput>>,
  metadata: Metadata = {},
): Uint8Array {
  const { head, slots, fileBytes } = layOut(tensors, metadata, FILE);
  const file = new Uint8Array(fileBytes);
  file.set(head);
  let at = head.byteLength;
  for (const slot of slots) {
    file.set(bytesOf(slot.input.data, slot, FILE), at);
    at += slot.bytes;
  }
  return file;
}

/**
 * The same file in chunks, the head and then one chunk a tensor, each a view of the tensor's own memory.
 * @param tensors by name, in any order; one with a function as `data` is fetched only when its turn comes
 * @param options `name` stands for the file in errors
 * @throws SafetensorsError naming the tensor, what was given and what was expected
 */
export async function* streamSafetensors(
  tensors: Readonly<Record<string, TensorInput | LazyTensorInput>>,
  metadata: Metadata = {},
  { name = FILE }: { name?: string } = {},
): AsyncGenerator<Uint8Array> {
  const { head, slots } = layOut(tensors, metadata, name);
  yield head;
  for (const slot of slots) {
    const { data } = slot.input;
    yield bytesOf(typeof data === 'function' ? await data() : data, slot, name);
  }
}

const FILE = 'safetensors';

function layOut<Input extends TensorInput | LazyTensorInput>(
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
  checkText(key, key, file);
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
      const reason = `${quote(key)} is ${show(text)}, expected a string`;
      throw new SafetensorsError(file, METADATA_KEY, reason);
    }
    checkText(key, METADATA_KEY, file);
    checkText(text, METADATA_KEY, file);
    return `${JSON.stringify(key)}:${JSON.stringify(text)}`;
  });
  return written.length === 0 ? [] : [`"${METADATA_KEY}":{${written.join(',')}}`];
}

function bytesOf(
  data: TensorData,
  { key, input, dtype, bytes }: Slot<TensorInput | LazyTensorInput>,
  file: string,
): Uint8Array {
  const expected = arrayOf(dtype);
  if (!(data instanceof expected || data instanceof Uint8Array)) {
    const reason = `data is ${className(data)}, ${dtype} takes ${expected.name}`;
    throw new SafetensorsError(file, key, reason);
  }
  if (data.byteLength !== bytes) {
    const reason = `data has ${data.byteLength} bytes, but shape ${show(input.shape)} of ${dtype} needs ${bytes}`;
    throw new SafetensorsError(file, key, reason);
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function className(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/** Refuses half a surrogate pair, which UTF-8 cannot hold. */
function checkText(text: string, key: string, file: string): void {
  if (/\p{Surrogate}/u.test(text)) {
    throw new SafetensorsError(file, key, `${quote(text)} is not well-formed Unicode`);
  }
}

/** The order of UTF-8 bytes, which differs from JavaScript's order of UTF-16 units above U+FFFF. */
function byCodePoint(a: string, b: string): number {
  const bytesA = new TextEncoder().encode(a);
  const bytesB = new TextEncoder().encode(b);
  const length = Math.min(bytesA.length, bytesB.length);
  for (let i = 0; i < length; i++) if (bytesA[i] !== bytesB[i]) return bytesA[i]! - bytesB[i]!;
  return bytesA.length - bytesB.length;
}
