import { unshared } from './bytes.js';
import { SafetensorsError, show } from './errors.js';

/**
 * The object that strict UTF-8 JSON holds, with every key of it and of the objects in it unique.
 * @param what names the text in errors
 * @throws SafetensorsError when the bytes are anything else
 */
export function parseJsonObject(
  bytes: Uint8Array,
  { file, what }: { file: string; what: string },
): Record<string, unknown> {
  const refuse = (reason: string, cause?: unknown) =>
    new SafetensorsError(file, undefined, `${what} ${reason}`, { cause });
  let json: string;
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(unshared(bytes));
  } catch (cause) {
    throw refuse('is not UTF-8', cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw refuse(`is not JSON: ${show((cause as Error).message)}`, cause);
  }
  if (!isObject(value)) throw refuse(`is ${show(value)}, expected an object`);
  const duplicate = findDuplicateKey(json);
  if (duplicate !== undefined) {
    throw new SafetensorsError(file, duplicate, `stands twice in the ${what}, expected once`);
  }
  return value;
}

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The first key that stands twice in one object of a JSON text, which `JSON.parse` would drop in silence.
 * @param json a text that `JSON.parse` accepts
 * @returns the key, unescaped, or `undefined` when all are unique
 */
export function findDuplicateKey(json: string): string | undefined {
  // The keys of every open object, innermost last; an open array holds undefined.
  const open: (Set<string> | undefined)[] = [];
  let expectsKey = false;
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case '{':
        open.push(new Set());
        expectsKey = true;
        break;
      case '[':
        open.push(undefined);
        expectsKey = false;
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ',':
        expectsKey = open.at(-1) !== undefined;
        break;
      case '"': {
        const end = endOfString(json, at);
        if (expectsKey) {
          // Unescaped before it is compared: "a" and "\u0061" are one key.
          const key: string = JSON.parse(json.slice(at, end + 1));
          const keys = open.at(-1)!;
          if (keys.has(key)) return key;
          keys.add(key);
          expectsKey = false;
        }
        at = end;
        break;
      }
    }
  }
  return undefined;
}

/** The index of the quote that closes the string opened at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}
