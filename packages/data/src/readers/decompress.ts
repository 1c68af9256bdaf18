import { DataError } from '../errors.js';
import type { Compression } from './formats.js';

/** Decompresses consecutive chunks. */
export type Decompress = (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** A decompressor for each compression. */
export type Decompressors = Readonly<Record<Compression, Decompress>>;

/** What is pushed at once: it may be expanded a thousandfold before it is taken. */
const pushBytes = 2 ** 14;

async function* inPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += pushBytes) yield chunk.subarray(at, at + pushBytes);
  }
}

/** Decompressors in JavaScript alone. That of zstd does not compare check sums. */
export const portableDecompressors: Decompressors = {
  async *gzip(chunks) {
    const { Inflate } = (await import('pako')).default;
    let member: InstanceType<typeof Inflate> | undefined;
    let given: Uint8Array[] = [];
    for await (const piece of inPieces(chunks)) {
      for (let rest = piece; rest.length > 0; ) {
        if (!member) {
          member = new Inflate({ windowBits: gzipWindow });
          member.onData = (chunk) => given.push(chunk as Uint8Array);
        }
        member.push(rest, false);
        if (member.err !== 0) throw new Error(member.msg || `zlib's error ${member.err}`);
        yield* given;
        given = [];
        const { avail_in: left } = (member as unknown as InflateState).strm;
        rest = rest.subarray(rest.length - left);
        if ((member as unknown as InflateState).ended) member = undefined;
      }
    }
    if (member) throw new Error(cutOff);
  },
  async *zstd(chunks) {
    const { Decompress } = await import('fzstd');
    let given: Uint8Array[] = [];
    const stream = new Decompress((chunk) => given.push(chunk));
    for await (const piece of inPieces(chunks)) {
      stream.push(piece, false);
      yield* given;
      given = [];
    }
    stream.push(new Uint8Array(), true);
    yield* given;
  },
};

/** The largest window, in zlib's number for gzip alone. */
const gzipWindow = 15 + 16;
const cutOff = 'unexpected EOF';

/** What pako's types leave out. */
interface InflateState {
  readonly ended: boolean;
  readonly strm: { readonly avail_in: number };
}

/**
 * Decompresses chunks of a file.
 * @throws DataError naming the file that is cut off or is not compressed so, and the uncompressed byte up to which it is whole
 */
export async function* decompressed(
  chunks: AsyncIterable<Uint8Array>,
  decompress: Decompress,
  name: string,
): AsyncGenerator<Uint8Array> {
  let position = 0;
  try {
    for await (const chunk of decompress(chunks)) {
      if (chunk.length > 0) yield chunk;
      position += chunk.length;
    }
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const { code, message } = cause as Error & { code?: unknown };
    const isCut = code === 'Z_BUF_ERROR' || message === cutOff;
    const why = isCut ? 'the file is cut off' : message;
    throw new DataError(`${name}: cannot be decompressed after byte ${position}: ${why}`, {
      cause,
    });
  }
}
