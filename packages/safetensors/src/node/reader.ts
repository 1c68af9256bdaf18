import { type FileHandle, open } from 'node:fs/promises';
import type { TensorInfo } from '../entries.js';
import { SafetensorsError } from '../errors.js';
import { PREFIX_BYTES, parseHeader, parseHeaderLength } from '../header.js';
import { type Tensor, tensorInfo, viewTensor } from '../read.js';

// Node.js moves at most 2^31 − 1 bytes in one call.
const MAX_READ_BYTES = 2 ** 30;

/** Tensors on disk, in one file or in many. */
export interface TensorReader {
  /** By name. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Reads one tensor into memory of its own. */
  read(name: string): Promise<Tensor>;
  /** No tensor can be read after. */
  close(): Promise<void>;
}

/** An open file of which only the header is in memory; each tensor is read when asked for. */
export class SafetensorsReader implements TensorReader {
  private constructor(
    private readonly handle: FileHandle,
    private readonly path: string,
    /** By name, in the order of the data. */
    readonly tensors: ReadonlyMap<string, TensorInfo>,
    readonly metadata: Readonly<Record<string, string>>,
    private readonly dataStart: number,
  ) {}

  /**
   * Opens a file and checks its header against its size.
   * @throws SafetensorsError naming the file, the entry, what it says and what was expected
   */
  static async open(path: string): Promise<SafetensorsReader> {
    const handle = await open(path).catch((cause) => {
      throw new SafetensorsError(path, undefined, `cannot be opened: ${cause.message}`, { cause });
    });
    try {
      const found = await handle.stat();
      if (!found.isFile()) throw new SafetensorsError(path, undefined, 'is not a regular file');
      const source = { name: path, fileBytes: found.size };
      const prefix = await readBytes(handle, path, 0, Math.min(PREFIX_BYTES, source.fileBytes));
      const length = parseHeaderLength(prefix, source);
      const header = await readBytes(handle, path, PREFIX_BYTES, length);
      const { tensors, metadata, dataStart } = parseHeader(header, source);
      return new SafetensorsReader(handle, path, tensors, metadata, dataStart);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * Reads one tensor into memory of its own.
   * @throws SafetensorsError when the file holds no such tensor, or has been cut since it was opened
   */
  async read(name: string): Promise<Tensor> {
    const info = tensorInfo(this.tensors, name, this.path);
    const [begin, end] = info.offsets;
    const bytes = await readBytes(this.handle, this.path, this.dataStart + begin, end - begin);
    return viewTensor(info, bytes);
  }

  /** Closes the file; no tensor can be read after. */
  async close(): Promise<void> {
    await this.handle.close();
  }
}

async function readBytes(
  handle: FileHandle,
  path: string,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const wanted = Math.min(length - done, MAX_READ_BYTES);
    const { bytesRead } = await handle.read(bytes, done, wanted, position + done);
    if (bytesRead === 0) {
      const reason = `ends at byte ${position + done}, expected ${position + length}`;
      throw new SafetensorsError(path, undefined, reason);
    }
    done += bytesRead;
  }
  return bytes;
}
