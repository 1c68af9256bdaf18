import { InputError } from '@headwise/core';
import type { MatrixLayout } from '@headwise/core/internal';
import type { PackedWeight } from '@headwise/kernels';
import { packedShapes } from '@headwise/kernels/internal';
import {
  asBytes,
  type Bytes,
  type Tensor,
  type TensorInfo,
  type TensorReader,
} from '@headwise/safetensors';
import type { KeptReader } from '../kept-reader.js';
import type { Found, Piece } from '../matching.js';
import { packGrouped } from './grouped.js';
import type { StoredMatrix } from './matrix.js';

/** The tensors of a checkpoint whose matrices another program has quantised; each has the key of its parameter, and is read as float32. */
export class QuantizedReader implements TensorReader {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  protected readonly reader: TensorReader;
  protected readonly matrices: ReadonlyMap<string, StoredMatrix>;
  readonly #name: string;
  /** Pieces of one matrix are read one after the other. */
  #last: { key: string; values: Promise<Float32Array> } | undefined;

  /** @param name of the file, for errors */
  constructor(reader: TensorReader, matrices: ReadonlyMap<string, StoredMatrix>, name: string) {
    this.reader = reader;
    this.matrices = matrices;
    this.#name = name;
    const owners = new Map<string, string>();
    for (const [key, { parts }] of matrices) for (const part of parts) owners.set(part, key);
    const tensors = new Map<string, TensorInfo>();
    for (const [key, info] of reader.tensors) {
      const owner = owners.get(key);
      if (owner === undefined) tensors.set(key, info);
      else if (!tensors.has(owner)) {
        const { shape } = matrices.get(owner)!;
        tensors.set(owner, { dtype: 'F32', shape, offsets: [0, 4 * shape[0] * shape[1]] });
      }
    }
    this.tensors = tensors;
  }

  /** The type of a quantised matrix and its bytes in the file; undefined for another tensor. */
  stored(key: string): { dtype: string; bytes: number } | undefined {
    const matrix = this.matrices.get(key);
    if (!matrix) return undefined;
    const bytes = matrix.parts.reduce((sum, part) => {
      const [begin, end] = this.reader.tensors.get(part)!.offsets;
      return sum + end - begin;
    }, 0);
    return { dtype: matrix.dtype, bytes };
  }

  async read(key: string): Promise<Tensor> {
    const matrix = this.matrices.get(key);
    if (!matrix) return this.reader.read(key);
    return { dtype: 'F32', shape: [...matrix.shape], data: await matrix.values() };
  }

  async readInto(key: string, begin: number, into: Bytes): Promise<void> {
    const matrix = this.matrices.get(key);
    if (!matrix) return this.reader.readInto(key, begin, into);
    if (this.#last?.key !== key) this.#last = { key, values: matrix.values() };
    const { buffer, byteOffset } = await this.#last.values;
    const target = asBytes(into, this.#name);
    target.set(new Uint8Array(buffer, byteOffset + begin, target.byteLength));
  }

  async finish(): Promise<void> {
    this.#last = undefined;
    await this.reader.finish();
  }

  close = (): Promise<void> => this.reader.close();
}

/** As {@link QuantizedReader}, of matrices whose words can stay as they are in memory. */
export class KeptQuantizedReader extends QuantizedReader implements KeptReader {
  isKept(key: string): boolean {
    return this.matrices.get(key)?.kept !== undefined;
  }

  keptBytes({ key, part, pieces = [] }: Found): number {
    const { shape, kept } = this.matrices.get(key)!;
    const out = (shape[0] * (1 + pieces.length)) / (part?.of ?? 1);
    const { words, scales } = packedShapes(shape[1], out, 'uint4', kept!.group);
    return 4 * (words[0] * words[1] + scales![0] * scales![1]);
  }

  async weight(
    { key, part, rows, pieces = [] }: Found,
    _: readonly [number, number],
    layout: MatrixLayout,
  ): Promise<PackedWeight | undefined> {
    if (layout === 'in-out') {
      throw new InputError(
        `tensor '${key}' is quantised, and its parameter lies [In, Out]; expected [Out, In]`,
      );
    }
    const outputs = [];
    for (const piece of [{ key }, ...pieces] as Pick<Piece, 'key'>[]) {
      const kept = this.matrices.get(piece.key)?.kept;
      if (!kept)
        throw new InputError(
          `tensor '${piece.key}' is not quantised, and '${key}' is; expected both`,
        );
      const grouped = await kept.words();
      const count = grouped.out / (part?.of ?? 1);
      const order = rows?.();
      const first = (part?.index ?? 0) * count;
      const from = Int32Array.from({ length: count }, (_, i) => first + (order ? order[i]! : i));
      outputs.push({ grouped, from });
    }
    return packGrouped(outputs);
  }
}
