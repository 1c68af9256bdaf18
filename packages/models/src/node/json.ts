import { InputError } from '@headwise/core';
import { FileError, readBytes, writeFile } from '@headwise/files';

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
 * The value of a JSON text.
 *
 * @throws InputError naming the file
 */
export function parseJson(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new InputError(`${path}: is not JSON: ${(error as Error).message}`);
  }
}

/**
 * Writes a JSON file that is there whole or not at all; in a folder with a manifest it is committed to it.
 *
 * @throws FileError naming the file
 */
export function writeJsonFile(path: string, value: unknown): Promise<void> {
  return writeFile(path, jsonText(value));
}

/** A value as the text of a JSON file. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** An error of a file as one of what was given. */
export function asInputError(error: unknown): unknown {
  return error instanceof FileError ? new InputError(error.message, { cause: error }) : error;
}
