import { InputError } from './errors.js';

/** Whether all values are finite. */
export function allFinite(values: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const even = values.length - (values.length % 4);
  for (let i = 0; i < even; i += 4) {
    a += values[i]! * 0;
    b += values[i + 1]! * 0;
    c += values[i + 2]! * 0;
    d += values[i + 3]! * 0;
  }
  for (let i = even; i < values.length; i++) a += values[i]! * 0;
  return a + b + c + d === 0;
}

/**
 * Whether no value is NaN or infinite, by the bits.
 *
 * @param words two floats of 16 bits in each
 * @param exponent the bits of a float's exponent: 0x7c00 of a half, 0x7f80 of a bfloat16
 */
export function allFiniteHalves(words: Int32Array, exponent: number): boolean {
  const mask = exponent | (exponent << 16);
  const lowest = exponent & -exponent;
  const one = lowest | (lowest << 16);
  let wrong = 0;
  const fours = words.length - (words.length % 4);
  // One more than an exponent whose bits are all set carries into the place of the sign.
  for (let i = 0; i < fours; i += 4) {
    wrong |=
      ((words[i]! & mask) + one) |
      ((words[i + 1]! & mask) + one) |
      ((words[i + 2]! & mask) + one) |
      ((words[i + 3]! & mask) + one);
  }
  for (let i = fours; i < words.length; i++) wrong |= (words[i]! & mask) + one;
  return (wrong & 0x80008000) === 0;
}

/**
 * Refuses values that are not finite.
 *
 * @param name of the values, for the error
 * @throws InputError with how many there are
 */
export function checkFinite(name: string, values: Float32Array): void {
  if (allFinite(values)) return;
  const wrong = values.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);
  throw new InputError(
    `${name}: ${wrong} of ${values.length} values are NaN or infinite; expected finite ones`,
  );
}
