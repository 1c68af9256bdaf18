import { asBytes, type ByteSource, type Bytes } from './bytes.js';
import type { TensorInfo } from './entries.js';
import { SafetensorsError } from './errors.js';
import { PREFIX_BYTES, parseHeader, parseHeaderLength } from './header.js';
import { type Tensor, tensorInfo, viewTensor } from './read.js';

/** Tensors that are read when they are asked for, from one file or from many. */
export interface TensorReader {
  /** By name, in the order of the data, file after file. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Reads one tensor into memory of its own. */
  read(name: string): Promise<Tensor>;
  /**
   * Fills `into` with a part of a tensor's bytes.
   * @param begin the first, counted from the tensor's own first
   * @throws SafetensorsError when the part leaves the tensor, or the file has been cut since it was opened
   */
  readInto(name: string, begin: number, into: Bytes): Promise<void>;
  /**
   * Checks what can only be checked once all has been read, such as a hash of a whole file.
   * @throws SafetensorsError when a file is not what it should be
   */
  finish(): Promise<void>;
  /** No tensor can be read after. */
  close(): Promise<void>;
}

/** Reads tensors of one file on demand; only the header is kept in memory. */
export class SafetensorsReader implements TensorReader {
  private constructor(
    private readonly source: ByteSource,
    /** By name, in the order of the data. */
    readonly tensors: ReadonlyMap<string, TensorInfo>,
    readonly metadata: Readonly<Record<string, string>>,
    private readonly dataStart: number,
  ) {}

  /**
   * Reads a file's header and checks it against the file's size.
   * @param source closed with the reader, or where the header is refused
   * @throws SafetensorsError naming the file, the entry, what it says and what was expected
   */
  static async open(source: ByteSource): Promise<SafetensorsReader> {
    try {
      const { name, size: fileBytes } = source;
      const prefix = new Uint8Array(Math.min(PREFIX_BYTES, fileBytes));
      await source.read(0, prefix);
      const header = new Uint8Array(parseHeaderLength(prefix, { name, fileBytes }));
      await source.read(PREFIX_BYTES, header);
      const { tensors, metadata, dataStart } = parseHeader(header, { name, fileBytes });
      return new SafetensorsReader(source, tensors, metadata, dataStart);
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /**
   * Reads one tensor into memory of its own.
   * @throws SafetensorsError when the file holds no such tensor, or has been cut since it was opened
   */
  async read(name: string): Promise<Tensor> {
    const info = tensorInfo(this.tensors, name, this.source.name);
    const bytes = new Uint8Array(info.offsets[1] - info.offsets[0]);
    await this.readInto(name, 0, bytes);
    return viewTensor(info, bytes);
  }

  async readInto(name: string, begin: number, target: Bytes): Promise<void> {
    const into = asBytes(target, this.source.name);
    const [first, end] = tensorInfo(this.tensors, name, this.source.name).offsets;
    if (begin < 0 || begin + into.byteLength > end - first) {
      const reason = `has ${end - first} bytes; asked for those from ${begin} to ${begin + into.byteLength}`;
      throw new SafetensorsError(this.source.name, name, reason);
    }
    await this.source.read(this.dataStart + first + begin, into);
  }

  async finish(): Promise<void> {
    await this.source.finish?.();
  }

  /** Closes the file; no tensor can be read after. */
  async close(): Promise<void> {
    await this.source.close();
  }
}
