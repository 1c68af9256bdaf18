import { basename, dirname } from 'node:path';
import { FileCheck, FileError, Folder, type OpenFile } from '@headwise/files';
import { asBytes, type ByteSource, endsEarly, unshared } from '../bytes.js';
import { SafetensorsError } from '../errors.js';

// Node.js moves at most 2^31 − 1 bytes in one call.
const MAX_READ_BYTES = 2 ** 30;

/**
 * Opens a file on disk; where its folder has a manifest, `finish` compares it with what was saved.
 *
 * @throws SafetensorsError when it cannot be opened, is not a regular file, or not of the length that was saved
 */
export async function fileBytes(path: string): Promise<ByteSource> {
  const file = await Folder.open(dirname(path))
    .then((folder) => folder.openRequired(basename(path)))
    .catch((error) => {
      throw asSafetensorsError(error);
    });
  return openBytes(file);
}

/** The bytes of a file that is open. */
export function openBytes(file: OpenFile): ByteSource {
  const { path, handle, size } = file;
  const check = new FileCheck(file);
  return {
    name: path,
    size,
    async read(position, target) {
      const into = asBytes(target, path);
      let done = 0;
      while (done < into.byteLength) {
        const wanted = Math.min(into.byteLength - done, MAX_READ_BYTES);
        const { bytesRead } = await handle.read(into, done, wanted, position + done);
        if (bytesRead === 0) throw endsEarly(path, position, { byteLength: done }, into);
        done += bytesRead;
      }
      check.seen(position, unshared(into));
    },
    finish: () =>
      check.finish().catch((error) => {
        throw asSafetensorsError(error);
      }),
    close: () => handle.close(),
  };
}

/** An error of a file as one of a safetensors file. */
export function asSafetensorsError(error: unknown): unknown {
  if (!(error instanceof FileError)) return error;
  return new SafetensorsError(error.path, undefined, error.reason, { cause: error });
}
