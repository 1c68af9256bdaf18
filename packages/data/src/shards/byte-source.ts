import { DataError } from '../errors.js';

/** Reads files of a folder by name, whole or a range of their bytes, wherever they are. */
export interface ByteSource {
  /** What it is called in errors: a path or an address. */
  readonly name: string;
  /**
   * @param range absent: the whole file
   * @throws an error that names the file that is missing, or ends before the range
   */
  read(file: string, range?: { start: number; end: number }): Promise<Uint8Array>;
}

/**
 * Files behind an address, read by HTTP ranges.
 *
 * @param address of the folder, with or without a slash at its end
 */
export function httpSource(address: string): ByteSource {
  const base = address.endsWith('/') ? address : `${address}/`;
  return {
    name: address,
    async read(file, range) {
      const url = base + file;
      const headers = range && { Range: `bytes=${range.start}-${range.end - 1}` };
      const response = await fetch(url, { ...(headers && { headers }) }).catch((cause) => {
        throw new DataError(`${url}: cannot be read: ${cause.message}`, { cause });
      });
      const expected = range ? 206 : 200;
      if (response.status !== expected) {
        await response.body?.cancel();
        const hint = response.status === 200 ? '; the server does not serve ranges' : '';
        throw new DataError(
          `${url}: answered with status ${response.status}, expected ${expected}${hint}`,
        );
      }
      return checked(new Uint8Array(await response.arrayBuffer()), url, range);
    },
  };
}

/**
 * Files that a person chose in a browser, read by slices.
 *
 * @param files by their names below the folder, such as `shards.json` and `shards/00000.ds`
 */
export function blobSource(
  files: ReadonlyMap<string, Blob>,
  name = 'the chosen files',
): ByteSource {
  return {
    name,
    async read(file, range) {
      const blob = files.get(file);
      if (!blob) throw new DataError(`${name}: ${file} is missing`);
      const part = range ? blob.slice(range.start, range.end) : blob;
      return checked(new Uint8Array(await part.arrayBuffer()), `${name}: ${file}`, range);
    },
  };
}

function checked(bytes: Uint8Array, name: string, range?: { start: number; end: number }) {
  if (range && bytes.length !== range.end - range.start) {
    throw new DataError(
      `${name}: has ${bytes.length} bytes from ${range.start} on, expected ${range.end - range.start}`,
    );
  }
  return bytes;
}
