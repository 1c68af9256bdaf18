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
 * A piece whose connection breaks is resumed behind the bytes that came.
 *
 * @returns undefined where there is no such file
 * @throws InputError where the server refuses it, or cannot be reached; while it is read SafetensorsError where it changes
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
        if (cause instanceof InputError) throw cause;
        throw new Unreached(`${name}: cannot be fetched: ${cause.message}`, { cause });
      },
    );
    if (response.ok || response.status === 404) return response;
    const Kind = response.status >= 500 || response.status === 429 ? Unreached : InputError;
    throw new Kind(
      `${name}: cannot be fetched: the server answers ${response.status} ${response.statusText}`,
    );
  };
  const part = (begin: number, end: number) =>
    ask({ headers: { Range: `bytes=${begin}-${end - 1}` } });

  const known = await cache?.size(name);
  // A server that gives no parts sends all of it; browsers keep large blobs on disk.
  let whole: ByteSource | undefined;
  let size = known;
  let version: string | undefined;
  /** Refuses a part of another file than the first part was of. */
  const checkPart = ({ headers }: Response, begin: number) => {
    const range = headers.get('content-range');
    // A page does not see the headers of another site that does not show them.
    if (range === null) return;
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(range) ?? [];
    const tag = headers.get('etag') ?? undefined;
    version ??= tag;
    size ??= Number(total);
    if (Number(from) !== begin) {
      const reason = `the server gives '${range}', expected the bytes from ${begin} on`;
      throw new SafetensorsError(name, undefined, reason);
    }
    if (Number(total) !== size || (tag !== undefined && tag !== version)) {
      const now = `${total} bytes${tag === undefined ? '' : ` and the ETag ${tag}`}`;
      const reason = `has changed while it was read: it has ${now}, expected ${size} bytes${version === undefined ? '' : ` and ${version}`}`;
      throw new SafetensorsError(name, undefined, reason);
    }
  };
  const fetchPiece = async (index: number, length: number, first?: Response) => {
    const start = index * PIECE_BYTES;
    const bytes = new Uint8Array(length);
    let came = 0;
    let response = first;
    for (let failures = 0; !whole && came < length; ) {
      const before = came;
      try {
        response ??= await part(start + came, start + PIECE_BYTES);
        if (response.status === 206) {
          if (response !== first) checkPart(response, start + came);
          for await (const chunk of chunksOf(response)) {
            if (came + chunk.length > length) throw tooMuch(name, start + length);
            bytes.set(chunk, came);
            came += chunk.length;
          }
        } else if (response.ok) whole = blobBytes(await response.blob(), name);
        else throw new Unreached(`${name}: is gone: the server answers ${response.status}`);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof SafetensorsError) throw error;
        if (error instanceof InputError && !(error instanceof Unreached)) throw error;
        if (failures === PAUSES.length && error instanceof Unreached) throw error;
      }
      response = undefined;
      if (whole || came === length) break;
      // Bytes that came are no failure, so that a connection that breaks again and again still brings the file.
      failures = came - before >= ENOUGH ? 1 : failures + 1;
      if (failures > PAUSES.length) {
        const reason = `the server gave ${came} bytes from byte ${start} on, expected ${length}`;
        throw new SafetensorsError(name, undefined, reason);
      }
      await pause(PAUSES[failures - 1]!, signal);
    }
    if (whole) await whole.read(start, bytes);
    return bytes;
  };

  if (known !== undefined) return piecesSource({ name, size: known, sha256, cache, fetchPiece });
  let first: Response | undefined = await part(0, PIECE_BYTES);
  if (first.status === 404) return undefined;
  if (first.status === 206 && /\/\d+$/.test(first.headers.get('content-range') ?? '')) {
    checkPart(first, 0);
  } else {
    if (first.status === 206) {
      await first.body?.cancel();
      first = await ask({});
    }
    whole = blobBytes(await first.blob(), name);
    size = whole.size;
  }
  await cache?.setSize(name, size!);
  return piecesSource({
    name,
    size: size!,
    sha256,
    cache,
    async fetchPiece(index, length) {
      const given = index === 0 && !whole ? first : undefined;
      if (given) first = undefined;
      return fetchPiece(index, length, given);
    },
  });
}

/** Milliseconds before a broken connection is tried again. */
const PAUSES = [100, 500, 2000];
/** Bytes by which a connection was of use. */
const ENOUGH = 2 ** 16;

/** A server that may answer when it is asked again. */
class Unreached extends InputError {}

const tooMuch = (name: string, end: number): SafetensorsError =>
  new SafetensorsError(
    name,
    undefined,
    `the server gives bytes behind ${end}, which it was not asked for`,
  );

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  for (;;) {
    const next = await reader?.read();
    if (!next || next.done) return;
    yield next.value;
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
    function done() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
  });
  signal?.throwIfAborted();
}
