import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { TokenizerError } from './errors.js';
import { noTokenizerIn } from './node/missing.js';
import { Tokenizer } from './tokenizer.js';

export { loadChatTemplate } from './node/chat.js';

const fileName = 'tokenizer.json';

/**
 * Reads a `tokenizer.json`.
 *
 * @param path of the file, or of a folder that holds it, as a model's does
 * @throws TokenizerError naming the file and what is wrong with it; where there is none, which other files would serve
 */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const file = isFolder ? join(path, fileName) : path;
  const bytes = await readFile(file).catch(async (error: NodeJS.ErrnoException) => {
    const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
    if (missing && basename(file) === fileName) throw await noTokenizerIn(dirname(file));
    if (missing) {
      throw new TokenizerError(
        `${path}: is missing; expected a tokenizer.json, or a folder that holds one`,
      );
    }
    throw new TokenizerError(`${file}: cannot be read: ${error.message}`);
  });
  return Tokenizer.fromBytes(bytes, file);
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
