import { InputError } from '@headwise/core';
import { FileError, readBytes, writeFile } from '@headwise/files';
import { jsonText, parseJson } from '../json-text.js';

/**
 * Reads a JSON file.
 *
 * @throws InputError naming the file
 */
export async function readJson(path: string): Promise<unknown> {
  const bytes = await readBytes(path).catch((error) => {
    throw asInputError(error);
  });
  return parseJson(bytes, path);
}

/**
 * Writes a JSON file that is there whole or not at all; in a folder with a manifest it is committed to it.
 *
 * @throws FileError naming the file
 */
export function writeJsonFile(path: string, value: unknown): Promise<void> {
  return writeFile(path, jsonText(value));
}

/** An error of a file as one of what was given. */
export function asInputError(error: unknown): unknown {
  return error instanceof FileError ? new InputError(error.message, { cause: error }) : error;
}
