import { readdir } from 'node:fs/promises';
import { InputError } from '@headwise/core';

/**
 * Throws unless a folder is not there yet, or is empty.
 *
 * @throws InputError naming the option, the folder and what is there
 */
export async function checkNewFolder(option: string, path: string): Promise<void> {
  if (path === '') throw new InputError(`${option} is ''; expected the name of a folder`);
  const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new InputError(`${option} '${path}' cannot be made a folder: ${error.message}`);
  });
  if (names.length > 0) {
    throw new InputError(`${option} '${path}' is not empty; expected a new folder`);
  }
}
