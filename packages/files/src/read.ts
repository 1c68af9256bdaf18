import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { FileError, named } from './errors.js';

/**
 * Opens a regular file to read; a FIFO, a socket, a device or a folder is refused, as reading one may never end.
 *
 * @throws FileError naming the file and what it is
 */
export async function openFile(path: string): Promise<{ handle: FileHandle; size: number }> {
  try {
    refuseOthers(path, await stat(path));
    // The file may have been replaced since: opening a FIFO must not wait for its writer.
    const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const found = await handle.stat();
      refuseOthers(path, found);
      return { handle, size: found.size };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw named(path, 'cannot be read', error);
  }
}

/**
 * The bytes of a regular file.
 *
 * @throws FileError naming the file and what it is
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  const { handle } = await openFile(path);
  try {
    return await handle.readFile();
  } catch (error) {
    throw named(path, 'cannot be read', error);
  } finally {
    await handle.close();
  }
}

type Stats = Awaited<ReturnType<typeof stat>>;

function refuseOthers(path: string, found: Stats): void {
  if (!found.isFile()) throw new FileError(path, `is not a regular file, but ${kindOf(found)}`);
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a folder';
  if (found.isFIFO()) return 'a FIFO';
  if (found.isSocket()) return 'a socket';
  return 'a device';
}
