import { InputError, type ParamStore } from '@headwise/core';
import {
  allFinite,
  allFiniteHalves,
  type Packer,
  sizeOf,
  tensorWriter,
  wordWriter,
  writesDone,
} from '@headwise/core/internal';
import { canWidenHalves, type HalfType } from '@headwise/kernels/internal';
import { type TensorReader, toFloat32 } from '@headwise/safetensors';
import type { KeptReader } from './kept-reader.js';
import { bytesOf, type Found } from './matching.js';
import { takeRows, transposed } from './row-order.js';
import { type ValueRange, ValueReader } from './value-reader.js';
import { WidenedLater } from './widened-later.js';

/** Values that are read, converted and written at a time. */
const PIECE = 2 ** 21;

/** A tensor of fewer values is widened on the host: a dispatch takes longer. */
const WIDENED = 2 ** 14;

/** Bytes that may be on their way to the GPU. */
const MAX_UNDERWAY = 2 ** 24;

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
    kept,
  }: {
    onProgress?: ((progress: LoadProgress) => void) | undefined;
    signal?: AbortSignal | undefined;
    /** The reader, where matrices stay as the file packs them. */
    kept?: KeptReader | undefined;
  },
): Promise<string[]> {
  const notFinite: string[] = [];
  const order = [...reader.tensors.keys()];
  const place = new Map(order.map((key, i) => [key, i]));
  const inOrder = [...found].sort(([, a], [, b]) => place.get(a.key)! - place.get(b.key)!);
  const totalBytes = inOrder.reduce((sum, [, tensor]) => sum + bytesOf(tensor), 0);
  const values = new ValueReader(reader);
  const halves = new WidenedLater(params);
  let loadedBytes = 0;
  let underway = 0;
  try {
    for (const [path, tensor] of inOrder) {
      signal?.throwIfAborted();
      const finite =
        kept?.isKept(tensor.key) && params.isPackable(path)
          ? await fillKept(params, path, kept, tensor)
          : await fillOne(params, path, reader, values, tensor, halves);
      if (!finite) notFinite.push(tensor.key);
      loadedBytes += bytesOf(tensor);
      underway += bytesOf(tensor);
      if (underway > MAX_UNDERWAY) {
        halves.widen();
        await writesDone();
        underway = 0;
      }
      onProgress?.({ key: tensor.key, loadedBytes, totalBytes });
    }
    halves.widen();
    await writesDone();
    return notFinite;
  } finally {
    halves.dispose();
  }
}

/** The shape of a parameter. */
const shapeOf = ({ info, part, pieces = [] }: Found): number[] => [
  (info.shape[0]! * (1 + pieces.length)) / (part?.of ?? 1),
  ...info.shape.slice(1),
];

/** The number of a parameter's values. */
const countOf = (found: Found): number => sizeOf(shapeOf(found));

/** Where a parameter's values lie: in its tensor, or in several, one after the other. */
function rangesOf({ key, info, part, pieces = [] }: Found): ValueRange[] {
  const count = sizeOf(info.shape) / (part?.of ?? 1);
  const own = { key, dtype: info.dtype, count, from: (part?.index ?? 0) * count };
  return [own, ...pieces.map(({ key, info }) => ({ key, dtype: info.dtype, count }))];
}

/** The values of a parameter, in order, with their places in it; as of `ValueReader`. */
async function* piecesOf(
  values: ValueReader,
  found: Found,
  size: number,
  host?: Float32Array,
): AsyncGenerator<[offset: number, values: Float32Array]> {
  let first = 0;
  for (const range of rangesOf(found)) {
    const into = host?.subarray(first, first + range.count);
    for await (const [offset, piece] of values.pieces(range, size, into)) {
      yield [first + offset, piece];
    }
    first += range.count;
  }
}

/** @returns whether all values are finite */
async function fillOne(
  params: ParamStore,
  path: string,
  reader: TensorReader,
  values: ValueReader,
  tensor: Found,
  halves: WidenedLater,
): Promise<boolean> {
  // Rows that change places need all values at once, as columns do.
  if (tensor.rows || tensor.turned) return fillWhole(params, path, reader, tensor);
  const packer = params.packer(path);
  if (packer) return fillPacked(params, path, packer, values, tensor);
  const type = widenedType(tensor);
  return type
    ? fillFromHalves(path, values, tensor, type, halves)
    : fillInPieces(params, path, values, tensor);
}

/** The type of a parameter's values where the GPU can widen them: each tensor of them begins with a word. */
function widenedType(tensor: Found): HalfType | undefined {
  const { dtype } = tensor.info;
  if ((dtype !== 'F16' && dtype !== 'BF16') || countOf(tensor) < WIDENED) return undefined;
  const ranges = rangesOf(tensor);
  const whole = ranges.length === 1 || ranges.every(({ count }) => count % 2 === 0);
  const alike = ranges.every((range) => range.dtype === dtype);
  return whole && alike && canWidenHalves() ? dtype : undefined;
}

async function fillWhole(
  params: ParamStore,
  path: string,
  reader: TensorReader,
  { key, rows, turned, info }: Found,
): Promise<boolean> {
  const values = toFloat32(await reader.read(key));
  const finite = allFinite(values);
  const own = turned ? transposed(values, info.shape) : values;
  // A packer refuses what is not finite with an error of its own.
  if (finite) params.fill(path, rows ? takeRows(own, rows()) : own);
  return finite;
}

/** @returns whether all scales, or values, are finite */
async function fillKept(
  params: ParamStore,
  path: string,
  reader: KeptReader,
  tensor: Found,
): Promise<boolean> {
  const { layout, variable } = params.matrices()[path]!;
  const packed = await reader.weight(tensor, variable!.shape, layout);
  if (packed) params.fill(path, packed);
  return packed !== undefined;
}

/** Uploads 16-bit floats as they are, half the bytes, and widens them on the GPU. */
async function fillFromHalves(
  path: string,
  values: ValueReader,
  found: Found,
  type: HalfType,
  halves: WidenedLater,
): Promise<boolean> {
  const writer = wordWriter(Math.ceil(countOf(found) / 2));
  try {
    let finite = true;
    let first = 0;
    for (const range of rangesOf(found)) {
      for await (const [offset, words] of values.words(range, 2 * PIECE)) {
        finite &&= allFiniteHalves(words, type === 'F16' ? 0x7c00 : 0x7f80);
        writer.write(first + offset, words);
      }
      first += range.count / 2;
    }
    halves.add({ path, type, shape: shapeOf(found), words: writer.finish() });
    return finite;
  } catch (error) {
    writer.cancel();
    throw error;
  }
}

async function fillInPieces(
  params: ParamStore,
  path: string,
  values: ValueReader,
  found: Found,
): Promise<boolean> {
  const writer = tensorWriter(shapeOf(found));
  try {
    let finite = true;
    for await (const [offset, piece] of piecesOf(values, found, PIECE, writer.host)) {
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
  const [{ count }] = rangesOf(found) as [ValueRange];
  const size = Math.min(count, Math.max(1, Math.floor(PIECE / packer.step)) * packer.step);
  for await (const [, piece] of piecesOf(values, found, size)) {
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
