import { InputError, type ParamStore } from '@headwise/core';
import { allFinite, type Packer, sizeOf, tensorWriter, writesDone } from '@headwise/core/internal';
import { type TensorReader, toFloat32 } from '@headwise/safetensors';
import type { Found } from './matching.js';
import { takeRows } from './row-order.js';
import { type ValueRange, ValueReader } from './value-reader.js';

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
  const bytesOf = ({ info, part }: Found) => (info.offsets[1] - info.offsets[0]) / (part?.of ?? 1);
  const totalBytes = inOrder.reduce((sum, [, tensor]) => sum + bytesOf(tensor), 0);
  const values = new ValueReader(reader);
  let loadedBytes = 0;
  let underway = 0;
  for (const [path, tensor] of inOrder) {
    signal?.throwIfAborted();
    const finite = await fillOne(params, path, reader, values, tensor);
    if (!finite) notFinite.push(tensor.key);
    loadedBytes += bytesOf(tensor);
    underway += countOf(tensor);
    if (underway > MAX_UNDERWAY) {
      await writesDone();
      underway = 0;
    }
    onProgress?.({ key: tensor.key, loadedBytes, totalBytes });
  }
  await writesDone();
  return notFinite;
}

/** The number of a parameter's values. */
const countOf = ({ info, part }: Found): number => sizeOf(info.shape) / (part?.of ?? 1);

/** Where a parameter's values lie in its tensor. */
function rangeOf(found: Found): ValueRange {
  const { key, info, part } = found;
  const count = countOf(found);
  return { key, dtype: info.dtype, count, from: (part?.index ?? 0) * count };
}

/** @returns whether all values are finite */
async function fillOne(
  params: ParamStore,
  path: string,
  reader: TensorReader,
  values: ValueReader,
  tensor: Found,
): Promise<boolean> {
  // Rows that change places need all values at once.
  if (tensor.rows) return fillWhole(params, path, reader, tensor);
  const packer = params.packer(path);
  return packer
    ? fillPacked(params, path, packer, values, tensor)
    : fillInPieces(params, path, values, tensor);
}

async function fillWhole(
  params: ParamStore,
  path: string,
  reader: TensorReader,
  { key, rows }: Found,
): Promise<boolean> {
  const values = toFloat32(await reader.read(key));
  const finite = allFinite(values);
  // A packer refuses what is not finite with an error of its own.
  if (finite) params.fill(path, rows ? takeRows(values, rows()) : values);
  return finite;
}

async function fillInPieces(
  params: ParamStore,
  path: string,
  values: ValueReader,
  found: Found,
): Promise<boolean> {
  const { info, part } = found;
  const shape = part ? [info.shape[0]! / part.of, ...info.shape.slice(1)] : info.shape;
  const writer = tensorWriter(shape);
  try {
    let finite = true;
    for await (const [offset, piece] of values.pieces(rangeOf(found), PIECE, writer.host)) {
      finite &&= allFinite(piece);
      if (piece.buffer !== writer.host?.buffer) writer.write(offset, piece);
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

async function fillPacked(
  params: ParamStore,
  path: string,
  packer: Packer,
  values: ValueReader,
  found: Found,
): Promise<boolean> {
  const { key } = found;
  const count = countOf(found);
  const size = Math.min(count, Math.max(1, Math.floor(PIECE / packer.step)) * packer.step);
  for await (const [, piece] of values.pieces(rangeOf(found), size)) {
    try {
      packer.add(piece);
    } catch (error) {
      if (!allFinite(piece)) return false;
      throw error instanceof InputError
        ? new InputError(`tensor '${key}': ${error.message}`)
        : error;
    }
  }
  params.fill(path, packer.finish());
  return true;
}
