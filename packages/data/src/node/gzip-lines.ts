import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { openFile } from '@headwise/files';
import { DataError } from '../errors.js';
import type { Line } from './line-units.js';

const longestLine = 256 * 2 ** 20;
const newline = 0x0a;

/** Whether a file's name says that it is compressed. */
export const isGzip = (path: string): boolean => path.endsWith('.gz');

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
  let [position, at, length] = [0, 0, 0];
  let held: Uint8Array[] = [];
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      let from = 0;
      for (let to = chunk.indexOf(newline); to >= 0; to = chunk.indexOf(newline, from)) {
        const bytes = Buffer.concat([...held, chunk.subarray(from, to)]);
        if (bytes.length > 0) yield { bytes, at };
        held = [];
        length = 0;
        from = to + 1;
        at = position + from;
      }
      held.push(chunk.subarray(from));
      length += chunk.length - from;
      position += chunk.length;
      if (length > longestLine) {
        throw new DataError(`${path}: the line at byte ${at} is longer than ${longestLine} bytes`);
      }
    }
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
  if (length > 0) yield { bytes: Buffer.concat(held), at };
}
