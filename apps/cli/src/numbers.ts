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

const byteUnits: Readonly<Record<string, number>> = {
  ...{ B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 },
  ...{ KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 },
};

/** Reads a number of bytes from the command line, such as `4GB` or `512MiB`. */
export function bytes(text: string): number {
  const [, value, unit] = /^(\d+(?:\.\d+)?) ?([kKMGT]?i?B)$/.exec(text) ?? [];
  const size = Number(value) * (byteUnits[unit ?? ''] ?? Number.NaN);
  if (size > 0) return size;
  throw new InvalidArgumentError(`'${text}' is not a size above 0 such as 4GB or 512MiB.`);
}

/** Reads a number from the command line. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw new InvalidArgumentError(`'${text}' is not a number.`);
  }
  return value;
}
