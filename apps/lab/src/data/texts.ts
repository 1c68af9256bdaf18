import { InputError } from '@headwise/core';

/** The largest text that a run may learn from; the tokens of more would not fit a tab's memory. */
export const maxTextBytes: number = 64 * 2 ** 20;

/**
 * Reads a text file of the visitor's.
 *
 * @throws InputError where it is empty, too large, or no text
 */
export async function readTextFile(file: Blob, name: string): Promise<string> {
  if (file.size === 0)
    throw new InputError(`${name} is empty: it has 0 bytes. Choose a file with text in it.`);
  if (file.size > maxTextBytes) {
    throw new InputError(
      `${name} has ${Math.round(file.size / 2 ** 20)} MB; the lab reads texts up to ${maxTextBytes / 2 ** 20} MB. Cut a part out of it.`,
    );
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  const start = text.slice(0, 100_000);
  if ([...start].filter(isStrange).length > start.length / 1000) {
    throw new InputError(
      `${name} is not text in UTF-8: it looks like a binary file. Choose a plain text file.`,
    );
  }
  return text.replace(/\r\n?/g, '\n');
}

/** Whether a character has no place in a text: a control character, or one that is not UTF-8. */
function isStrange(char: string): boolean {
  return char === '\ufffd' || (char < ' ' && !'\t\n\f\r\v'.includes(char));
}
