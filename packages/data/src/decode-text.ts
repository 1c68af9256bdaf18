import { DataError } from './errors.js';

/**
 * The text of a file in strict UTF-8, without its byte order mark; line ends stay as they are.
 *
 * @param name the file's, for errors
 * @throws DataError where it is not UTF-8, with the first such byte and its line, and where it holds blanks alone
 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const text = decode(bytes);
  if (text === undefined) {
    const valid = validPrefix(bytes);
    const line = bytes.subarray(0, valid).reduce((n, byte) => (byte === 10 ? n + 1 : n), 1);
    throw new DataError(`${name}: is not UTF-8 from byte ${valid} on, in line ${line}`);
  }
  if (text.trim() === '') {
    throw new DataError(`${name}: holds no text in its ${bytes.length} bytes`);
  }
  return text;
}

/** The text of UTF-8 bytes, or `undefined` when they are not; `stream` allows an unfinished last character. */
function decode(bytes: Uint8Array, stream = false): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream });
  } catch {
    return undefined;
  }
}

/** How many bytes come before the first that UTF-8 does not allow, by bisection. */
function validPrefix(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.length;
  while (valid + 1 < invalid) {
    const middle = (valid + invalid) >> 1;
    if (decode(bytes.subarray(0, middle), true) === undefined) invalid = middle;
    else valid = middle;
  }
  return valid;
}
