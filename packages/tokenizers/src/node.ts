import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileError, Folder, writeFile } from '@headwise/files';
import { TokenizerError } from './errors.js';
import { noTokenizerIn } from './node/missing.js';
import { Tokenizer } from './tokenizer.js';

export { findChatTemplate, loadChatTemplate } from './node/chat.js';

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
  const folder = dirname(file);
  const bytes = await Folder.open(folder)
    .then((files) => files.read(basename(file)))
    .catch((error) => {
      throw asTokenizerError(error);
    });
  if (!bytes) {
    if (basename(file) === fileName) throw await noTokenizerIn(folder);
    throw new TokenizerError(
      `${path}: is missing; expected a tokenizer.json, or a folder that holds one`,
    );
  }
  return Tokenizer.fromBytes(bytes, file);
}

/**
 * Writes a `tokenizer.json` that is there whole or not at all; in a folder with a manifest it is committed to it.
 *
 * @throws TokenizerError naming the file and why it cannot be written
 */
export async function saveTokenizer(tokenizer: Tokenizer, path: string): Promise<void> {
  await writeFile(path, tokenizerText(tokenizer)).catch((error) => {
    throw asTokenizerError(error);
  });
}

/** What `tokenizer.json` holds. */
export function tokenizerText(tokenizer: Tokenizer): string {
  return `${JSON.stringify(tokenizer.toJSON(), null, 1)}\n`;
}

function asTokenizerError(error: unknown): unknown {
  return error instanceof FileError ? new TokenizerError(error.message, { cause: error }) : error;
}
