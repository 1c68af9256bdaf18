import { asBytes, isBuffer, unshared } from './bytes.js';
import { arrayOf, type TensorData } from './dtypes.js';
import { className, SafetensorsError, show } from './errors.js';
import {
  type LazyTensorInput,
  layOut,
  type Metadata,
  type RawBytes,
  type Slot,
  type TensorInput,
} from './layout.js';

// What errors call a file without a name.
const FILE = 'safetensors';

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
 * The same file in chunks, the head and then one chunk a tensor, each a view of the tensor's own memory, or a copy of shared memory.
 * @param tensors by name, in any order; one with a function as `data` is fetched only when its turn comes
 * @param options `name` stands for the file in errors
 * @throws SafetensorsError naming the tensor, what was given and what was expected
 */
export async function* streamSafetensors(
  tensors: Readonly<Record<string, TensorInput | LazyTensorInput>>,
  metadata: Metadata = {},
  { name = FILE }: { name?: string | undefined } = {},
): AsyncGenerator<Uint8Array> {
  const { head, slots } = layOut(tensors, metadata, name);
  yield head;
  for (const slot of slots) {
    const { data } = slot.input;
    yield unshared(bytesOf(typeof data === 'function' ? await data() : data, slot, name));
  }
}

/** A tensor's data as bytes of the same memory, refused unless they are what its slot expects. */
function bytesOf(
  data: TensorData | RawBytes,
  { key, input, dtype, bytes }: Slot<TensorInput | LazyTensorInput>,
  file: string,
): Uint8Array {
  const expected = arrayOf(dtype);
  const isBytes = data instanceof Uint8Array || data instanceof DataView || isBuffer(data);
  if (!(isBytes || data instanceof expected)) {
    const reason = `data is ${className(data)}, ${dtype} takes ${expected.name}`;
    throw new SafetensorsError(file, key, reason);
  }
  if (data.byteLength !== bytes) {
    const reason = `data has ${data.byteLength} bytes, but shape ${show(input.shape)} of ${dtype} needs ${bytes}`;
    throw new SafetensorsError(file, key, reason);
  }
  return asBytes(data, file);
}
