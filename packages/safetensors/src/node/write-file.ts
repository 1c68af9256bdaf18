import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SafetensorsError } from '../errors.js';
import type { LazyTensorInput, Metadata, TensorInput } from '../layout.js';
import { streamSafetensors } from '../write.js';

/**
 * Writes a file that is there whole or not at all: to a temporary name beside it, flushed to disk, then renamed.
 * @param tensors by name, in any order; one with a function as `data` is fetched only when its turn comes
 * @throws SafetensorsError naming the file, the tensor, what was given and what was expected
 */
export async function writeSafetensorsFile(
  path: string,
  tensors: Readonly<Record<string, TensorInput | LazyTensorInput>>,
  metadata: Metadata = {},
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      for await (const chunk of streamSafetensors(tensors, metadata, { name: path })) {
        await writeAll(handle, chunk);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    if (!isSystemError(error)) throw error;
    throw new SafetensorsError(path, undefined, `cannot be written: ${error.message}`, {
      cause: error,
    });
  }
  await syncFolder(folder);
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

// Node.js moves at most 2^31 − 1 bytes in one call.
const MAX_WRITE_BYTES = 2 ** 30;

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const length = Math.min(bytes.byteLength - done, MAX_WRITE_BYTES);
    done += (await handle.write(bytes, done, length)).bytesWritten;
  }
}

/** Makes the rename itself survive a power cut, where the system can flush a folder. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
