/** A float's exact value, as `numerator / 2^shift`, for rounding that ties to even. */
function exact(value: number): [numerator: bigint, shift: number] {
  let shift = 0;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    shift++;
  }
  return [BigInt(scaled), shift];
}

/** `numerator / denominator`, rounded to a whole number, ties to even. */
function divided(numerator: bigint, denominator: bigint): bigint {
  const floor = numerator / denominator;
  const twice = 2n * (numerator % denominator);
  const up = twice > denominator || (twice === denominator && floor % 2n === 1n);
  return up ? floor + 1n : floor;
}

/** A number of at least 0 with so many digits behind the point. */
export function roundHalfEven(value: number, digits: number): string {
  const [numerator, shift] = exact(value);
  const text = divided(numerator * 10n ** BigInt(digits), 1n << BigInt(shift))
    .toString()
    .padStart(digits + 1, '0');
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** The first digits of a number of at least 0, and its power of ten. */
export function binaryDigits(value: number, count: number): [digits: string, power: number] {
  if (value === 0) return ['0'.repeat(count), 0];
  const [numerator, shift] = exact(value);
  const denominator = 1n << BigInt(shift);
  let power = Math.floor(Math.log10(value));
  for (;;) {
    const scale = count - 1 - power;
    const digits = (
      scale >= 0
        ? divided(numerator * 10n ** BigInt(scale), denominator)
        : divided(numerator, denominator * 10n ** BigInt(-scale))
    ).toString();
    if (digits.length === count) return [digits, power];
    power += digits.length > count ? 1 : -1;
  }
}

/** `round(value, digits)` of a float. */
export function roundFloat(value: number, digits: number): number {
  if (!Number.isFinite(value)) return value;
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? -1 : 1;
  if (digits > 300) return value;
  if (digits >= 0) return sign * Number(roundHalfEven(size, digits));
  const [numerator, shift] = exact(size);
  const unit = 10n ** BigInt(-digits);
  return sign * Number(divided(numerator, unit << BigInt(shift)) * unit);
}

/** `round(value, digits)` of an int, `digits` below 0. */
export function roundWhole(value: bigint, digits: bigint): bigint {
  const unit = 10n ** -digits;
  const size = divided(value < 0n ? -value : value, unit) * unit;
  return value < 0n ? -size : size;
}
