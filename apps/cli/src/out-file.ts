import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileError } from '@headwise/files';

/**
 * Throws where a file can surely not be written, before work is done for it.
 *
 * @throws FileError naming the option, the path and what is there
 */
export async function checkOutFile(option: string, path: string): Promise<void> {
  const refuse = (why: string): never => {
    throw new FileError(`${option} ${path}`, `cannot be written: ${why}`);
  };
  const folder = dirname(path);
  const above = await stat(folder).catch(() => refuse(`there is no folder ${folder}`));
  if (!above.isDirectory()) refuse(`${folder} is not a folder`);
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) refuse('it is a folder');
}
