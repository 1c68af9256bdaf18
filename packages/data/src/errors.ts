import { HeadwiseError } from '@headwise/errors';

/** A corpus or an option cannot be used; the message names what was given and expected. */
export class DataError extends HeadwiseError {
  override readonly name = 'DataError';
}

/** Refuses anything but a whole number of at least `least`. */
export function checkWhole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new DataError(`${name} is ${value}, expected a whole number of at least ${least}`);
  }
}
