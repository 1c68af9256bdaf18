import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { openFile } from '@headwise/files';
import { DataError } from '../errors.js';
import { type Line, linesOf } from './line-units.js';

/**
 * The lines of a gzip file of one or several members, without their line ends; blank lines are left out.
 *
 * `at` is the line's place in the uncompressed text. One line and a chunk are held.
 * @throws DataError naming the file that is not gzip or is cut off, or a line longer than 256 MiB
 */
export async function* readGzipLines(path: string): AsyncGenerator<Line> {
  const { handle, size } = await openFile(path);
  await handle.close();
  if (size === 0) return;
  const gunzip = createGunzip();
  const piped = pipeline(createReadStream(path), gunzip);
  piped.catch(() => {}); // the loop below throws it
  let position = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      yield chunk;
      position += chunk.length;
    }
  }
  try {
    yield* linesOf(chunks(), path);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'Z_BUF_ERROR' ? 'the file is cut off' : message;
    throw new DataError(`${path}: cannot be decompressed after byte ${position}: ${why}`, {
      cause,
    });
  } finally {
    gunzip.destroy();
  }
}
