import { InputError } from '@headwise/core';
import { decodeText } from '@headwise/data';

/** The largest text that a run may learn from; the tokens of more would not fit a tab's memory. */
export const maxTextBytes: number = 64 * 2 ** 20;

/**
 * Reads a text file of the visitor's as `headwise train` reads it.
 *
 * @throws InputError or DataError where it is empty, too large, or no text in UTF-8
 */
export async function readTextFile(file: Blob, name: string): Promise<string> {
  if (file.size === 0)
    throw new InputError(`${name} is empty: it has 0 bytes. Choose a file with text in it.`);
  if (file.size > maxTextBytes) {
    throw new InputError(
      `${name} has ${Math.round(file.size / 2 ** 20)} MB; the lab reads texts up to ${maxTextBytes / 2 ** 20} MB. Cut a part out of it.`,
    );
  }
  const text = decodeText(new Uint8Array(await file.arrayBuffer()), name);
  const start = text.slice(0, 100_000);
  if ([...start].filter(isControl).length > start.length / 1000) {
    throw new InputError(`${name} looks like a binary file. Choose a plain text file.`);
  }
  return text;
}

/** Whether a character is a control character that has no place in a text. */
function isControl(char: string): boolean {
  return char < ' ' && !'\t\n\f\r\v'.includes(char);
}
