import type { MatrixLayout } from '@headwise/core/internal';
import { type BlockType, blockForms, type GgmlType, splitBlocks } from '@headwise/gguf';
import type { PackedFormat, PackedWeight } from '@headwise/kernels';
import { LevelsPacker, packedShapes } from '@headwise/kernels/internal';
import type { Found } from '../../checkpoint/matching.js';

/** Values that are read and packed at a time. */
const PIECE = 2 ** 20;

/** What is read of a file to pack a matrix of it. */
export interface RowReader {
  /** A tensor as the file has it. */
  stored(key: string): { readonly type: GgmlType } | undefined;
  /** The bytes of some rows. */
  rows(key: string, first: number, count: number): Promise<Uint8Array>;
}

/** The packed form that holds the values of a type as they are; undefined for float32. */
function formOf(type: GgmlType): { format: PackedFormat; group?: number } | undefined {
  if (type === 'f32') return undefined;
  if (type === 'f16' || type === 'bf16') return { format: type };
  const { group, bits, minima } = blockForms[type];
  if (minima) return { format: bits === 4 ? 'uint4' : 'uint8', group };
  return { format: bits === 4 ? 'int4' : 'int8-groups', group };
}

/** The bytes that a matrix of a type takes in memory. */
export function keptBytes(type: GgmlType, [out, inner]: readonly [number, number]): number {
  const form = formOf(type);
  if (!form) return 4 * out * inner;
  const { words, scales } = packedShapes(inner, out, form.format, form.group ?? inner);
  return 4 * (words[0] * words[1] + (scales ? scales[0] * scales[1] : 0));
}

/**
 * A matrix as the file keeps it: its levels and scales in our words, nothing rounded.
 *
 * @param shape of the parameter
 * @returns undefined where scales, or values of 16 bits, are not finite
 */
export async function keptWeight(
  reader: RowReader,
  found: Found,
  shape: readonly [number, number],
  layout: MatrixLayout,
): Promise<PackedWeight | undefined> {
  const { key, part, rows } = found;
  const { type } = reader.stored(key)!;
  const form = formOf(type)!;
  const packer = new LevelsPacker({ shape, layout, ...form });
  const [inner, out] = layout === 'in-out' ? shape : [shape[1], shape[0]];
  const columns = rows && inverse(rows());
  const first = (part?.index ?? 0) * out;
  const atOnce = Math.max(1, Math.floor(PIECE / inner));
  for (let row = 0; row < out; row += atOnce) {
    const count = Math.min(atOnce, out - row);
    const bytes = await reader.rows(key, first + row, count);
    const add =
      type === 'f16' || type === 'bf16'
        ? halfRows(bytes, inner, type)
        : blockRows(bytes, inner, type as BlockType);
    if (!add) return undefined;
    for (let i = 0; i < count; i++) add(packer, i, columns ? columns[row + i]! : row + i);
  }
  return packer.finish();
}

/** Packs row i as the weights of an output. */
type AddRow = (packer: LevelsPacker, i: number, column: number) => void;

/** Rows of 16-bit floats; undefined where one is not finite. */
function halfRows(bytes: Uint8Array, inner: number, type: 'f16' | 'bf16'): AddRow | undefined {
  const bits = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const exponent = type === 'f16' ? 0x7c00 : 0x7f80;
  for (let i = 0; i < bits.length; i++) if ((bits[i]! & exponent) === exponent) return undefined;
  return (packer, i, column) => packer.set(column, bits.subarray(i * inner, (i + 1) * inner));
}

/** Rows of blocks; undefined where a scale is not finite. */
function blockRows(bytes: Uint8Array, inner: number, type: BlockType): AddRow | undefined {
  const { levels, scales, minima } = splitBlocks(bytes, type);
  if (!scales.every(Number.isFinite) || !minima.every(Number.isFinite)) return undefined;
  const { group, minima: hasMinima } = blockForms[type];
  const groups = inner / group;
  const of = (values: Float32Array, i: number) => values.subarray(i * groups, (i + 1) * groups);
  return (packer, i, column) =>
    packer.set(
      column,
      levels.subarray(i * inner, (i + 1) * inner),
      of(scales, i),
      hasMinima ? of(minima, i) : undefined,
    );
}

function inverse(order: readonly number[]): Int32Array {
  const places = new Int32Array(order.length);
  order.forEach((from, to) => {
    places[from] = to;
  });
  return places;
}
