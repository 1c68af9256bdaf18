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
