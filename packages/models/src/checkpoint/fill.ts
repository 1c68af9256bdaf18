import {
  allFinite,
  type ParamStore,
  sizeOf,
  type TensorWriter,
  tensorWriter,
  writesDone,
} from '@headwise/core';
import { type Dtype, type TensorReader, toFloat32, viewTensor } from '@headwise/safetensors';
import type { Found } from './matching.js';
import { takeRows } from './row-order.js';

/** Values that are read, converted and written at a time. */
const PIECE = 2 ** 21;

/** Values that may be on their way to the GPU. */
const MAX_UNDERWAY = 2 ** 22;

/** How far loading has come. */
export interface LoadProgress {
  /** The tensor that was read last. */
  key: string;
  loadedBytes: number;
  totalBytes: number;
}

/**
 * Gives parameters their values, in the order of the data, piece by piece.
 *
 * @param found where each parameter lies, by its path
 * @returns the keys of tensors that hold values which are not finite
 */
export async function fillFromTensors(
  params: ParamStore,
  reader: TensorReader,
  found: ReadonlyMap<string, Found>,
  {
    onProgress,
    signal,
  }: {
    onProgress?: ((progress: LoadProgress) => void) | undefined;
    signal?: AbortSignal | undefined;
  },
): Promise<string[]> {
  const notFinite: string[] = [];
  const order = [...reader.tensors.keys()];
  const place = new Map(order.map((key, i) => [key, i]));
  const inOrder = [...found].sort(([, a], [, b]) => place.get(a.key)! - place.get(b.key)!);
  const bytesOf = ({ info }: Found) => info.offsets[1] - info.offsets[0];
  const totalBytes = inOrder.reduce((sum, [, tensor]) => sum + bytesOf(tensor), 0);
  const counts = inOrder.map(([, { info }]) => sizeOf(info.shape));
  const scratch = new Scratch(Math.min(PIECE, Math.max(0, ...counts)));
  let loadedBytes = 0;
  let underway = 0;
  for (const [path, tensor] of inOrder) {
    signal?.throwIfAborted();
    const whole = tensor.rows !== undefined || params.packs(path);
    const finite = whole
      ? await fillWhole(params, path, reader, tensor)
      : await fillInPieces(params, path, reader, tensor, scratch);
    if (!finite) notFinite.push(tensor.key);
    loadedBytes += bytesOf(tensor);
    underway += sizeOf(tensor.info.shape);
    if (underway > MAX_UNDERWAY) {
      await writesDone();
      underway = 0;
    }
    onProgress?.({ key: tensor.key, loadedBytes, totalBytes });
  }
  await writesDone();
  return notFinite;
}

async function fillWhole(
  params: ParamStore,
  path: string,
  reader: TensorReader,
  { key, rows }: Found,
): Promise<boolean> {
  const values = toFloat32(await reader.read(key));
  const finite = allFinite(values);
  // A packing refuses what is not finite with an error of its own.
  if (finite) params.fill(path, rows ? takeRows(values, rows()) : values);
  return finite;
}

async function fillInPieces(
  params: ParamStore,
  path: string,
  reader: TensorReader,
  { key, info }: Found,
  scratch: Scratch,
): Promise<boolean> {
  const writer = tensorWriter(info.shape);
  try {
    let finite = true;
    for await (const [offset, values] of pieces(
      reader,
      key,
      info.dtype,
      sizeOf(info.shape),
      writer,
      scratch,
    )) {
      finite &&= allFinite(values);
      if (values.buffer !== writer.host?.buffer) writer.write(offset, values);
    }
    const tensor = writer.finish();
    params.fill(path, tensor);
    tensor.dispose();
    return finite;
  } catch (error) {
    writer.cancel();
    throw error;
  }
}

/** Memory that pieces pass through, made once. */
class Scratch {
  readonly #values: number;
  #read: [ArrayBuffer, ArrayBuffer] | undefined;
  #widened: Float32Array | undefined;

  constructor(values: number) {
    this.#values = values;
  }

  /** The piece that is used, and the next one; values have 8 bytes at most. */
  get read(): [ArrayBuffer, ArrayBuffer] {
    this.#read ??= [new ArrayBuffer(8 * this.#values), new ArrayBuffer(8 * this.#values)];
    return this.#read;
  }

  get widened(): Float32Array {
    this.#widened ??= new Float32Array(this.#values);
    return this.#widened;
  }
}

/** The values of a tensor, piece by piece; while one is used, the next is read. */
async function* pieces(
  reader: TensorReader,
  key: string,
  dtype: Dtype,
  count: number,
  { host }: TensorWriter,
  scratch: Scratch,
): AsyncGenerator<[offset: number, values: Float32Array]> {
  const width = bytesPerValue(dtype);
  // Values that need no conversion are read to where they stay.
  const direct = dtype === 'F32' ? host : undefined;
  // Others are widened to where they stay, or into the same memory again and again.
  const widened = dtype === 'F32' ? undefined : (host ?? scratch.widened);
  const readPiece = async (offset: number) => {
    const length = Math.min(PIECE, count - offset);
    const bytes = direct
      ? new Uint8Array(direct.buffer, direct.byteOffset + 4 * offset, 4 * length)
      : new Uint8Array(scratch.read[(offset / PIECE) % 2]!, 0, width * length);
    await reader.readInto(key, width * offset, bytes);
    return bytes;
  };
  let next = readPiece(0);
  for (let offset = 0; offset < count; offset += PIECE) {
    const bytes = await next;
    if (offset + PIECE < count) next = readPiece(offset + PIECE);
    next.catch(() => {});
    const length = bytes.byteLength / width;
    const begin = host ? offset : 0;
    const into = widened?.subarray(begin, begin + length);
    const piece = viewTensor({ dtype, shape: [length] }, bytes);
    yield [offset, toFloat32(piece, into ? { into } : {})];
  }
}

function bytesPerValue(dtype: Dtype): number {
  if (dtype === 'F64') return 8;
  return dtype === 'F32' ? 4 : 2;
}
