import { InputError } from './errors.js';

/**
 * Throws unless a text is one of those that are known.
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
  const shown = typeof given === 'string' ? `'${given}'` : String(given);
  throw new InputError(`${what} is ${shown}; expected one of ${known.join(', ')}`);
}
