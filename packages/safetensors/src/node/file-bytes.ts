import { type FileHandle, open } from 'node:fs/promises';
import { asBytes, type ByteSource, endsEarly } from '../bytes.js';
import { SafetensorsError } from '../errors.js';

// Node.js moves at most 2^31 − 1 bytes in one call.
const MAX_READ_BYTES = 2 ** 30;

/**
 * Opens a file on disk.
 * @throws SafetensorsError when it cannot be opened or is no regular file
 */
export async function fileBytes(path: string): Promise<ByteSource> {
  const handle = await open(path).catch((cause) => {
    throw new SafetensorsError(path, undefined, `cannot be opened: ${cause.message}`, { cause });
  });
  const found = await handle.stat();
  if (!found.isFile()) {
    await handle.close();
    throw new SafetensorsError(path, undefined, 'is not a regular file');
  }
  return {
    name: path,
    size: found.size,
    read: (position, into) => readBytes(handle, path, position, asBytes(into, path)),
    close: () => handle.close(),
  };
}

async function readBytes(
  handle: FileHandle,
  path: string,
  position: number,
  into: Uint8Array,
): Promise<void> {
  let done = 0;
  while (done < into.byteLength) {
    const wanted = Math.min(into.byteLength - done, MAX_READ_BYTES);
    const { bytesRead } = await handle.read(into, done, wanted, position + done);
    if (bytesRead === 0) throw endsEarly(path, position, { byteLength: done }, into);
    done += bytesRead;
  }
}
