import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { FileError } from '@headwise/files';

/**
 * Reads a text file that an option names.
 *
 * @throws FileError naming the option, the file and why it cannot be read, or where it is not UTF-8
 */
export async function readText(option: string, path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new FileError(`${option} ${path}`, `cannot be read: ${error.message}`, { cause: error });
  });
  return decodeText(`${option} ${path}`, bytes);
}

/**
 * Reads standard input to its end, as a text.
 *
 * @throws FileError where it is not UTF-8
 */
export async function readStandardInput(): Promise<string> {
  return decodeText('standard input', await buffer(process.stdin));
}

/** The text that bytes hold, with every character that they hold: a byte order mark is one. */
function decodeText(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FileError(name, 'is not UTF-8');
  }
}
