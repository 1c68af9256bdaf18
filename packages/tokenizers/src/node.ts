import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { TokenizerError } from './errors.js';
import { Tokenizer } from './tokenizer.js';

/**
 * Reads a `tokenizer.json`.
 *
 * @throws TokenizerError naming the file and what is wrong with it
 */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new TokenizerError(`${path}: cannot be read: ${error.message}`);
  });
  return Tokenizer.fromBytes(bytes, path);
}

/** Writes a `tokenizer.json` that is there whole or not at all. */
export async function saveTokenizer(tokenizer: Tokenizer, path: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(`${JSON.stringify(tokenizer.toJSON(), null, 1)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new TokenizerError(`${path}: cannot be written: ${(error as Error).message}`);
  }
}
