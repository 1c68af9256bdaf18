import { readFile } from 'node:fs/promises';
import { InputError } from '@headwise/core';

/**
 * Reads a text file that an option names.
 *
 * @throws InputError naming the option, the file and why it cannot be read, or where it is not UTF-8
 */
export async function readText(option: string, path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new InputError(`${option} ${path}: cannot be read: ${error.message}`);
  });
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new InputError(`${option} ${path}: is not UTF-8`);
  }
}
