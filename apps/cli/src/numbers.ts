import { InvalidArgumentError } from 'commander';

/** Reads a whole number from the command line. */
export function integer(text: string): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError(`'${text}' is no whole number within ±2^53.`);
  }
  return value;
}

/** Reads a number from the command line. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw new InvalidArgumentError(`'${text}' is no number.`);
  }
  return value;
}
