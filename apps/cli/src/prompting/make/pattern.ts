import { InputError } from '@headwise/core';

/**
 * A pattern of an option: `/…/flags`, or its text alone.
 *
 * @throws InputError naming the option, for a pattern that is none
 */
export function patternOf(option: string, text: string): RegExp {
  const [, source, flags] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [];
  try {
    return source === undefined ? new RegExp(text) : new RegExp(source, flags);
  } catch (error) {
    throw new InputError(`${option} is '${text}': ${(error as Error).message}`, { cause: error });
  }
}
