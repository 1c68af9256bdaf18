import { asBytes, type ByteSource, endsEarly, SafetensorsError } from '@headwise/safetensors';
import type { CheckpointCache } from './cache.js';
import { Sha256 } from './sha256.js';

/** Bytes that are fetched and kept at a time. */
export const PIECE_BYTES: number = 2 ** 23;

/** Pieces in memory: the one that is read and those before and after it. */
const KEPT = 3;

/** A file that comes in pieces. */
export interface PiecedFile {
  name: string;
  size: number;
  /** What the whole file's SHA-256 must be. */
  sha256: string | undefined;
  cache: CheckpointCache | undefined;
  fetchPiece(index: number, length: number): Promise<Uint8Array>;
}

/** Bytes that are fetched, or found in a cache, piece by piece; while one is read, the next is on its way. */
export function piecesSource(file: PiecedFile): ByteSource {
  const { name, size, cache } = file;
  const count = Math.ceil(size / PIECE_BYTES);
  const pieces = new Map<number, Promise<Uint8Array>>();
  const hash = file.sha256 === undefined ? undefined : new Sha256();
  let hashed = 0;

  const load = async (index: number): Promise<Uint8Array> => {
    const length = Math.min(PIECE_BYTES, size - index * PIECE_BYTES);
    const kept = await cache?.piece(name, index);
    if (kept?.byteLength === length) return asBytes(kept, name);
    const bytes = await file.fetchPiece(index, length);
    await cache?.setPiece(name, index, bytes);
    return bytes;
  };
  const piece = (index: number): Promise<Uint8Array> => {
    let found = pieces.get(index);
    if (!found) {
      found = load(index);
      // The error is for the reader of the piece; without one it must not be an unhandled rejection.
      found.catch(() => pieces.delete(index));
      pieces.set(index, found);
      const [oldest] = pieces.keys();
      if (pieces.size > KEPT) pieces.delete(oldest!);
    }
    return found;
  };
  /** Pieces are hashed in order, those that no reader asks for among them. */
  const hashTo = async (end: number) => {
    for (; hash && hashed < end; hashed++) hash.update(await piece(hashed));
  };

  return {
    name,
    size,
    async read(position, into) {
      const end = position + into.byteLength;
      if (end > size) throw endsEarly(name, position, { byteLength: size - position }, into);
      let done = 0;
      while (done < into.byteLength) {
        const index = Math.floor((position + done) / PIECE_BYTES);
        const offset = (position + done) % PIECE_BYTES;
        await hashTo(index + 1);
        const bytes = await piece(index);
        if (index + 1 < count) void piece(index + 1).catch(() => {});
        const part = bytes.subarray(offset, offset + into.byteLength - done);
        into.set(part, done);
        done += part.byteLength;
      }
    },
    async finish() {
      await hashTo(count);
      const found = hash?.digest();
      if (found === file.sha256?.toLowerCase()) return;
      await cache?.delete(name);
      const reason = `has the SHA-256 ${found}, expected ${file.sha256}`;
      throw new SafetensorsError(name, undefined, reason);
    },
    close: async () => pieces.clear(),
  };
}
