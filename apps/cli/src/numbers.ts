import { InvalidArgumentError } from 'commander';

/** Reads a whole number from the command line. */
export function integer(text: string): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError(`'${text}' is not a whole number within ±2^53.`);
  }
  return value;
}

/** Reads a TCP port from the command line. */
export function port(text: string): number {
  const value = integer(text);
  if (value < 0 || value > 65_535) {
    throw new InvalidArgumentError(`'${text}' is not a port; expected 0 to 65535.`);
  }
  return value;
}

/** Reads a number from the command line. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw new InvalidArgumentError(`'${text}' is not a number.`);
  }
  return value;
}
