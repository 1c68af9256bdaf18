import { InputError } from './errors.js';

/**
 * Throws unless a string is one of the allowed ones.
 *
 * @param what names the choice in the message, e.g. `loadModel: dtype`
 * @throws InputError with what was given and all that are known
 * @example checkOneOf('loadModel: dtype', dtype, ['f32', 'f16']);
 */
export function checkOneOf<T extends string>(
  what: string,
  given: string,
  known: readonly T[],
): asserts given is T {
  if ((known as readonly string[]).includes(given)) return;
  const shown = typeof given === 'string' ? cut(`'${given}'`) : quoted(given);
  throw new InputError(`${what} is ${shown}; expected one of ${known.join(', ')}`);
}

const mostCharacters = 100;

/** A value as an error message quotes it: JSON of at most 100 characters. */
export function quoted(value: unknown): string {
  return cut(textOf(value));
}

function cut(text: string): string {
  return text.length > mostCharacters
    ? `${text.slice(0, mostCharacters)}… (${text.length} characters)`
    : text;
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A value that holds itself, or a BigInt.
    return String(value);
  }
}
