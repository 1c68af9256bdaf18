import type { MatrixLayout } from '@headwise/core/internal';
import { dequantize, type GgufHeader, type GgufTensorInfo, ggmlTypes } from '@headwise/gguf';
import type { PackedWeight } from '@headwise/kernels';
import {
  asBytes,
  type ByteSource,
  type Bytes,
  SafetensorsError,
  type Tensor,
  type TensorInfo,
} from '@headwise/safetensors';
import type { KeptReader } from '../../checkpoint/kept-reader.js';
import type { Found } from '../../checkpoint/matching.js';
import { keptBytes, keptWeight } from './kept.js';

/** The tensors of a GGUF file: as float32, dequantised as they are read, or as the bytes that the file has. */
export class GgufReader implements KeptReader {
  /** As float32, in the order of the data. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Tensors that hold a parameter plus 1, once it is known. */
  plusOne: RegExp | undefined;
  readonly #source: ByteSource;
  readonly #header: GgufHeader;

  /** @param source closed with the reader */
  constructor(source: ByteSource, header: GgufHeader) {
    this.#source = source;
    this.#header = header;
    let begin = 0;
    this.tensors = new Map(
      [...header.tensors].map(([name, { shape }]) => {
        const end = begin + 4 * shape.reduce((count, size) => count * size, 1);
        const info: TensorInfo = { dtype: 'F32', shape, offsets: [begin, end] };
        begin = end;
        return [name, info];
      }),
    );
  }

  /** A tensor as the file has it; undefined for one that is read as float32 alone. */
  stored(name: string): GgufTensorInfo | undefined {
    const info = this.#header.tensors.get(name);
    return info?.type === 'f32' || this.plusOne?.test(name) ? undefined : info;
  }

  isKept(name: string): boolean {
    return this.stored(name) !== undefined;
  }

  keptBytes({ key, part }: Found): number {
    const { type, shape } = this.#info(key);
    const [rows, width] = shape as [number, number];
    return keptBytes(type, [rows / (part?.of ?? 1), width]);
  }

  weight(
    found: Found,
    shape: readonly [number, number],
    layout: MatrixLayout,
  ): Promise<PackedWeight | undefined> {
    return keptWeight(this, found, shape, layout);
  }

  /**
   * The bytes of some rows of a tensor.
   *
   * @param first the number of the first row, of all axes but the last
   */
  async rows(name: string, first: number, count: number): Promise<Uint8Array> {
    const { type, shape, begin } = this.#info(name);
    const { values, bytes } = ggmlTypes[type];
    const row = ((shape.at(-1) ?? 1) / values) * bytes;
    const into = new Uint8Array(count * row);
    await this.#source.read(begin + first * row, into);
    return into;
  }

  async read(name: string): Promise<Tensor> {
    const { shape } = this.#info(name);
    const data = new Float32Array(shape.reduce((count, size) => count * size, 1));
    await this.readInto(name, 0, data);
    return { dtype: 'F32', shape, data };
  }

  async readInto(name: string, begin: number, target: Bytes): Promise<void> {
    const info = this.#info(name);
    const { values, bytes } = ggmlTypes[info.type];
    const into = asBytes(target, this.#source.name);
    const [first, end] = [begin / 4, (begin + into.byteLength) / 4];
    const firstBlock = Math.floor(first / values);
    const blocks = new Uint8Array((Math.ceil(end / values) - firstBlock) * bytes);
    if (info.begin + firstBlock * bytes + blocks.length > info.end) {
      const reason = `has ${(info.end - info.begin) * (values / bytes)} values; asked for those from ${first} to ${end}`;
      throw new SafetensorsError(this.#source.name, name, reason);
    }
    await this.#source.read(info.begin + firstBlock * bytes, blocks);
    const whole = dequantize(blocks, info.type);
    const own = whole.subarray(first - firstBlock * values, end - firstBlock * values);
    if (this.plusOne?.test(name)) for (let i = 0; i < own.length; i++) own[i]! -= 1;
    into.set(new Uint8Array(own.buffer, own.byteOffset, own.byteLength));
  }

  async finish(): Promise<void> {
    await this.#source.finish?.();
  }

  async close(): Promise<void> {
    await this.#source.close();
  }

  #info(name: string): GgufTensorInfo {
    const info = this.#header.tensors.get(name);
    if (info) return info;
    throw new SafetensorsError(
      this.#source.name,
      name,
      `is not among the file's ${this.#header.tensors.size} tensors`,
    );
  }
}
