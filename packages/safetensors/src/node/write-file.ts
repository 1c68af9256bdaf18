import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  type LazyTensorInput,
  type Metadata,
  streamSafetensors,
  type TensorInput,
} from '../write.js';

/**
 * Writes a file that is there whole or not at all: to a temporary name beside it, flushed to disk, then renamed.
 * @param tensors by name, in any order; one with a function as `data` is fetched only when its turn comes
 * @throws SafetensorsError naming the tensor, what was given and what was expected
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
    throw error;
  }
  await syncFolder(folder);
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) done += (await handle.write(bytes, done)).bytesWritten;
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
