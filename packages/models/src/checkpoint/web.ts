import { InputError } from '@headwise/core';
import { type ByteSource, blobBytes, SafetensorsError } from '@headwise/safetensors';
import type { CheckpointCache } from './cache.js';
import { PIECE_BYTES, piecesSource } from './pieces.js';

/** Fetches a file of a checkpoint by its name; `init` asks for a part of it, in a `Range` header. */
export type FetchFile = (file: string, init: RequestInit) => Promise<Response>;

export interface WebOptions {
  /** Keeps what was downloaded, for the next time; default nothing is kept. */
  cache?: CheckpointCache | undefined;
  /** The SHA-256 of files by their names, in hexadecimal; a file with another is refused. */
  integrity?: Readonly<Record<string, string>> | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * A file on the web, fetched piece by piece as it is read, or the whole of it where its server gives no parts.
 *
 * @returns undefined where there is no such file
 * @throws InputError where the server refuses it, or cannot be reached
 */
export async function webFile(
  fetchFile: FetchFile,
  file: string,
  name: string,
  { cache, integrity = {}, signal }: WebOptions,
): Promise<ByteSource | undefined> {
  const sha256 = Object.hasOwn(integrity, file) ? integrity[file] : undefined;
  const ask = async (init: RequestInit) => {
    const response = await fetchFile(file, { ...init, ...(signal ? { signal } : {}) }).catch(
      (cause) => {
        signal?.throwIfAborted();
        throw new InputError(`${name}: cannot be fetched: ${cause.message}`, { cause });
      },
    );
    if (response.ok || response.status === 404) return response;
    throw new InputError(
      `${name}: cannot be fetched: the server answers ${response.status} ${response.statusText}`,
    );
  };
  const part = (index: number) =>
    ask({ headers: { Range: `bytes=${index * PIECE_BYTES}-${(index + 1) * PIECE_BYTES - 1}` } });

  // A server that gives no parts sends all of it; browsers keep large blobs on disk.
  let whole: ByteSource | undefined;
  const fetchPiece = async (index: number, length: number) => {
    let bytes: Uint8Array | undefined;
    if (!whole) {
      const response = await part(index);
      if (response.status === 206) bytes = await bytesOf(response);
      else if (response.ok) whole = blobBytes(await response.blob(), name);
    }
    if (whole) {
      bytes = new Uint8Array(length);
      await whole.read(index * PIECE_BYTES, bytes);
    }
    if (bytes?.byteLength === length) return bytes;
    const reason = `the server gave ${bytes?.byteLength ?? 0} bytes from byte ${index * PIECE_BYTES} on, expected ${length}`;
    throw new SafetensorsError(name, undefined, reason);
  };

  const known = await cache?.size(name);
  if (known !== undefined) return piecesSource({ name, size: known, sha256, cache, fetchPiece });
  const first = await part(0);
  if (first.status === 404) return undefined;
  const total = /^bytes 0-\d+\/(\d+)$/.exec(first.headers.get('content-range') ?? '')?.[1];
  let start: Uint8Array | undefined;
  if (first.status === 206 && total !== undefined) start = await bytesOf(first);
  else whole = blobBytes(await first.blob(), name);
  const size = whole?.size ?? Number(total);
  await cache?.setSize(name, size);
  return piecesSource({
    name,
    size,
    sha256,
    cache,
    async fetchPiece(index, length) {
      const given = start;
      start = undefined;
      return index === 0 && given?.byteLength === length ? given : fetchPiece(index, length);
    },
  });
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}
