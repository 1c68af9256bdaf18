import { type Dtype, type TensorReader, toFloat32, viewTensor } from '@headwise/safetensors';

/** Some values of a tensor, one after the other. */
export interface ValueRange {
  key: string;
  dtype: Dtype;
  /** How many values. */
  count: number;
  /** The first of them; default 0. */
  from?: number | undefined;
}

/** Reads the values of tensors as float32, piece by piece; pieces pass through the same memory again and again. */
export class ValueReader {
  readonly #reader: TensorReader;
  /** The piece in use and the one that is being read. */
  readonly #read: [ArrayBuffer, ArrayBuffer] = [new ArrayBuffer(0), new ArrayBuffer(0)];
  #widened = new Float32Array(0);

  constructor(reader: TensorReader) {
    this.#reader = reader;
  }

  /**
   * The values of a range, in order, with their places in it; each piece may be used until the next is asked for.
   *
   * @param size values per piece; the last piece may be shorter
   * @param host where all values are to be read to; default memory of the reader's own
   */
  async *pieces(
    range: ValueRange,
    size: number,
    host?: Float32Array,
  ): AsyncGenerator<[offset: number, values: Float32Array]> {
    const { dtype } = range;
    // Values that need no conversion are read to where they stay.
    const there = dtype === 'F32' ? host : undefined;
    for await (const [offset, bytes] of this.#bytes(range, size, there)) {
      const length = bytes.byteLength / bytesPerValue(dtype);
      const piece = viewTensor({ dtype, shape: [length] }, bytes);
      if (dtype === 'F32') yield [offset, toFloat32(piece)];
      else {
        const into = host?.subarray(offset, offset + length) ?? this.#wide(length);
        yield [offset, toFloat32(piece, { into })];
      }
    }
  }

  /**
   * The values of a range of 16-bit floats as they lie in the file, two in a word, with the places of the words; the last word
   * of an odd number of values ends with a zero.
   *
   * @param size values per piece, an even number
   */
  async *words(
    range: ValueRange,
    size: number,
  ): AsyncGenerator<[offset: number, words: Int32Array]> {
    for await (const [offset, bytes] of this.#bytes(range, size)) {
      const length = Math.ceil(bytes.byteLength / 4);
      if (bytes.byteLength % 4 !== 0) new Uint16Array(bytes.buffer)[2 * length - 1] = 0;
      yield [offset / 2, new Int32Array(bytes.buffer, 0, length)];
    }
  }

  async *#bytes(
    { key, dtype, count, from = 0 }: ValueRange,
    size: number,
    host?: Float32Array,
  ): AsyncGenerator<[offset: number, bytes: Uint8Array]> {
    const width = bytesPerValue(dtype);
    const readPiece = async (offset: number) => {
      const length = Math.min(size, count - offset);
      const bytes = host
        ? new Uint8Array(host.buffer, host.byteOffset + 4 * offset, 4 * length)
        : this.#memory((offset / size) % 2, width * length);
      await this.#reader.readInto(key, width * (from + offset), bytes);
      return bytes;
    };
    let next = readPiece(0);
    for (let offset = 0; offset < count; offset += size) {
      const bytes = await next;
      if (offset + size < count) next = readPiece(offset + size);
      next.catch(() => {});
      yield [offset, bytes];
    }
  }

  #memory(slot: number, bytes: number): Uint8Array {
    if (this.#read[slot]!.byteLength < bytes)
      this.#read[slot] = new ArrayBuffer(4 * Math.ceil(bytes / 4));
    return new Uint8Array(this.#read[slot]!, 0, bytes);
  }

  #wide(length: number): Float32Array {
    if (this.#widened.length < length) this.#widened = new Float32Array(length);
    return this.#widened.subarray(0, length);
  }
}

function bytesPerValue(dtype: Dtype): number {
  if (dtype === 'F64') return 8;
  return dtype === 'F32' ? 4 : 2;
}
