import { InputError } from '@headwise/core';
import { type ByteSource, blobBytes, SafetensorsError } from '@headwise/safetensors';
import type { CheckpointCache } from './cache.js';
import { PIECE_BYTES, piecesSource } from './pieces.js';

/** Fetches a file of a checkpoint by its name; `init` asks for a part of it, in a `Range` header. */
export type FetchFile = (file: string, init: RequestInit) => Promise<Response>;

export interface WebOptions {
  /** Keeps what was downloaded, for the next time; default nothing is kept. */
  cache?: CheckpointCache;
  /** The SHA-256 of files by their names, in hexadecimal; a file with another is refused. */
  integrity?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
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

  const known = await cache?.size(name);
  if (known !== undefined) return piecesSource({ name, size: known, sha256, cache, fetchPiece });
  const first = await part(0);
  if (first.status === 404) return undefined;
  const total = /^bytes 0-\d+\/(\d+)$/.exec(first.headers.get('content-range') ?? '')?.[1];
  const start = first.status === 206 && total !== undefined ? await bytesOf(first) : undefined;
  // A server that gives no parts has sent all of it; browsers keep large blobs on disk.
  const whole = start ? undefined : blobBytes(await first.blob(), name);
  const size = start ? Number(total) : whole!.size;
  await cache?.setSize(name, size);
  return piecesSource({ name, size, sha256, cache, fetchPiece });

  async function fetchPiece(index: number, length: number): Promise<Uint8Array> {
    let bytes: Uint8Array;
    if (whole) {
      bytes = new Uint8Array(length);
      await whole.read(index * PIECE_BYTES, bytes);
    } else {
      bytes = index === 0 && start ? start : await bytesOf(await part(index));
    }
    if (bytes.byteLength === length) return bytes;
    throw new SafetensorsError(
      name,
      undefined,
      `the server gave ${bytes.byteLength} bytes from byte ${index * PIECE_BYTES} on, expected ${length}`,
    );
  }
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}
