import { buffer } from 'node:stream/consumers';
import { FileError, readBytes } from '@headwise/files';

/**
 * The bytes of the file that `--data` names; `-` is standard input.
 *
 * @throws FileError where it cannot be read
 */
export async function readData(path: string): Promise<Uint8Array> {
  if (path === '-') return buffer(process.stdin);
  try {
    return await readBytes(path);
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`--data ${path}`, `cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
