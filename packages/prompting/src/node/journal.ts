import { type FileHandle, open } from 'node:fs/promises';
import { FileError } from '@headwise/files';

/** A file that grows by an entry a line; a line that a kill has cut off is removed when it is opened. */
export class Journal<Entry, Past> {
  /** What is kept in memory of the entries that were there when it was opened, in order. */
  readonly past: readonly Past[];
  readonly #handle: FileHandle;
  readonly #path: string;

  private constructor(path: string, handle: FileHandle, past: readonly Past[]) {
    this.#path = path;
    this.#handle = handle;
    this.past = past;
  }

  /**
   * @param keep what stays in memory of an entry
   * @throws FileError where it cannot be read or written, and for a whole line that is not an entry
   */
  static async open<Entry, Past>(
    path: string,
    keep: (entry: Entry) => Past,
  ): Promise<Journal<Entry, Past>> {
    const handle = await open(path, 'a+').catch((error: Error) => {
      throw new FileError(path, `cannot be written: ${error.message}`, { cause: error });
    });
    try {
      const past: Past[] = [];
      let whole = 0;
      for await (const { entry, end } of entriesOf<Entry>(path, handle)) {
        past.push(keep(entry));
        whole = end;
      }
      await handle.truncate(whole);
      return new Journal(path, handle, past);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The entries of a file, one by one. */
  static async *read<Entry>(path: string): AsyncGenerator<Entry> {
    const handle = await open(path);
    try {
      for await (const { entry } of entriesOf<Entry>(path, handle)) yield entry;
    } finally {
      await handle.close();
    }
  }

  async append(entry: Entry): Promise<void> {
    await this.#handle.appendFile(`${JSON.stringify(entry)}\n`).catch((error: Error) => {
      throw new FileError(this.#path, `cannot be written: ${error.message}`, { cause: error });
    });
  }

  /** Flushes it to disk. */
  async close(): Promise<void> {
    try {
      await this.#handle.sync();
    } finally {
      await this.#handle.close();
    }
  }
}

const pieceBytes = 1 << 20;

/** The entries of the lines that are whole, with where each ends in bytes. */
async function* entriesOf<Entry>(
  path: string,
  handle: FileHandle,
): AsyncGenerator<{ entry: Entry; end: number }> {
  const decoder = new TextDecoder();
  let pieces: Uint8Array[] = [];
  let at = 0;
  let line = 0;
  for (;;) {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(pieceBytes), 0, pieceBytes, at);
    if (bytesRead === 0) return;
    const bytes = buffer.subarray(0, bytesRead);
    let start = 0;
    for (let n = bytes.indexOf(10); n >= 0; n = bytes.indexOf(10, start)) {
      pieces.push(bytes.subarray(start, n));
      start = n + 1;
      line++;
      const text = pieces.map((piece) => decoder.decode(piece, { stream: true })).join('');
      yield { entry: entryOf<Entry>(text + decoder.decode(), `${path}:${line}`), end: at + start };
      pieces = [];
    }
    pieces.push(bytes.subarray(start));
    at += bytesRead;
  }
}

function entryOf<Entry>(text: string, place: string): Entry {
  try {
    return JSON.parse(text) as Entry;
  } catch (error) {
    throw new FileError(place, `is not an entry: ${(error as Error).message}`, { cause: error });
  }
}
