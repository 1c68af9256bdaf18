import { InputError } from '@headwise/core';
import { type TensorReader, toFloat32 } from '@headwise/safetensors';
import type { GroupedWords } from './grouped.js';

/** A matrix of a parameter that a checkpoint keeps as several tensors. */
export interface StoredMatrix {
  shape: readonly [out: number, inner: number];
  /** The keys of the tensors that it is made of. */
  parts: readonly string[];
  /** What `describeCheckpoint` calls its type. */
  dtype: string;
  /** `[Out, In]`, dequantised. */
  values(): Promise<Float32Array>;
  /** Its words and scales, and the inputs that share a scale; absent for a matrix that is dequantised only. */
  kept?: { group: number; words(): Promise<GroupedWords> } | undefined;
}

/** Finds the matrices of one method among the tensors of a checkpoint, by the keys of their parameters. */
export type FindMatrices = (
  parts: Parts,
  json: Record<string, unknown>,
  configName: string,
) => ReadonlyMap<string, StoredMatrix>;

/** The tensors of a checkpoint, with errors that name them. */
export class Parts {
  readonly reader: TensorReader;
  readonly name: string;

  constructor(reader: TensorReader, name: string) {
    this.reader = reader;
    this.name = name;
  }

  /** The keys of the parameters one of whose tensors ends so: `x.weight` for `x` and the suffix. */
  bases(suffix: string): string[] {
    return [...this.reader.tensors.keys()].flatMap((key) =>
      key.endsWith(suffix) ? [key.slice(0, -suffix.length)] : [],
    );
  }

  has(key: string): boolean {
    return this.reader.tensors.has(key);
  }

  /**
   * Throws for a tensor that is missing, or of another type or shape.
   *
   * @param why what asks for the shape
   */
  check(key: string, dtypes: readonly string[], shape: readonly number[], why?: string): void {
    const info = this.reader.tensors.get(key);
    if (!info) throw new InputError(`${this.name}: no tensor '${key}'`);
    if (!dtypes.includes(info.dtype) || info.shape.join() !== shape.join()) {
      throw new InputError(
        `${this.name}: tensor '${key}' is ${info.dtype} of shape [${info.shape.join(', ')}]; expected ${dtypes.join(' or ')} of [${shape.join(', ')}]${why ? `, as ${why}` : ''}`,
      );
    }
  }

  /** The shape of a matrix of whole numbers. */
  matrix(key: string, dtype: 'I32' | 'I8' = 'I32'): [number, number] {
    const shape = this.reader.tensors.get(key)?.shape ?? [];
    this.check(key, [dtype], shape.length === 2 ? shape : [0, 0]);
    return [shape[0]!, shape[1]!];
  }

  async ints(key: string): Promise<Int32Array> {
    return (await this.reader.read(key)).data as Int32Array;
  }

  async floats(key: string): Promise<Float32Array> {
    return toFloat32(await this.reader.read(key), { file: this.name, key });
  }
}
