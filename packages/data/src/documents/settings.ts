import { DataError } from '../errors.js';

/**
 * Options that come from a file, over their defaults: each must have a known name, and a value of its default's type or `null`
 * where `null` turns a rule off; an empty list stands for one of strings.
 *
 * @param place what is said in front of errors
 * @throws DataError naming the option
 */
export function settingsOver<T extends object>(
  defaults: T,
  given: Readonly<Record<string, unknown>>,
  place: string,
): Partial<T> {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) {
      throw new DataError(
        `${place}: '${name}' is not an option; expected one of ${Object.keys(defaults).join(', ')}`,
      );
    }
    const fallback = (defaults as Record<string, unknown>)[name];
    const isOff = value === null && !Array.isArray(fallback) && typeof fallback !== 'boolean';
    if (!isOff && !isLike(value, fallback)) {
      throw new DataError(
        `${place}: ${name} is ${JSON.stringify(value)}; expected a value like ${JSON.stringify(fallback)}`,
      );
    }
  }
  return given as Partial<T>;
}

function isLike(value: unknown, example: unknown): boolean {
  if (Array.isArray(example)) {
    return Array.isArray(value) && value.every((item) => isLike(item, example[0] ?? ''));
  }
  if (typeof example === 'number') return typeof value === 'number' && value >= 0;
  return typeof value === typeof example;
}
