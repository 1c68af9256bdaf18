import {
  chars,
  choice,
  type Expression,
  empty,
  literal,
  never,
  optional,
  repeat,
  sequence,
} from '../expression.js';
import { limited } from '../regex.js';

/** Decimal digits that every float64 tells apart: more are not written. */
const exactDigits = 15;

const digitsFrom = (first: number, last: number): Expression =>
  first > last ? never : chars([[48 + first, 48 + last]]);
const digit = digitsFrom(0, 9);
const anyDigits = repeat(digit, 0);
const zeros = repeat(digitsFrom(0, 0), 0);
const whole = choice(literal('0'), sequence(digitsFrom(1, 9), repeat(digit, 0, exactDigits - 1)));

/** A JSON number of any value, with at most 15 digits before and after the point, and an exponent of at most two. */
export const anyNumber: Expression = sequence(
  optional(literal('-')),
  whole,
  optional(sequence(literal('.'), repeat(digit, 1, exactDigits))),
  optional(
    sequence(
      chars([
        [0x45, 0x45],
        [0x65, 0x65],
      ]),
      optional(
        chars([
          [0x2b, 0x2b],
          [0x2d, 0x2d],
        ]),
      ),
      repeat(digit, 1, 2),
    ),
  ),
);
/** A whole number of at most 15 digits. */
export const anyInteger: Expression = sequence(optional(literal('-')), whole);

/** A bound of numbers; `strict` where it is not reached. */
export interface Bound {
  readonly value: number;
  readonly strict: boolean;
}

/** Whole numbers within bounds, which may be missing. */
export function integersWithin(low: Bound | undefined, high: Bound | undefined): Expression {
  const least = low && BigInt(low.strict ? Math.floor(low.value) + 1 : Math.ceil(low.value));
  const most = high && BigInt(high.strict ? Math.ceil(high.value) - 1 : Math.floor(high.value));
  const negative = between(
    most === undefined || most > -1n ? 1n : -most,
    least === undefined ? undefined : -least,
  );
  const positive = between(least === undefined || least < 0n ? 0n : least, most);
  return choice(positive, sequence(literal('-'), negative));
}

/** Digits of whole numbers from `low` (≥ 0) to `high`, as many as are exact where there is no `high`. */
function between(low: bigint, high: bigint | undefined): Expression {
  const width = Math.max(exactDigits, `${low}`.length);
  const last = high ?? 10n ** BigInt(width) - 1n;
  if (last < low) return never;
  const parts: Expression[] = [];
  for (let length = `${low}`.length; length <= `${last}`.length; length++) {
    const [first, end] = [
      length === 1 ? 0n : 10n ** BigInt(length - 1),
      10n ** BigInt(length) - 1n,
    ];
    const from = low > first ? low : first;
    const to = last < end ? last : end;
    parts.push(sameLength(`${from}`, `${to}`));
  }
  return choice(...parts);
}

function sameLength(low: string, high: string): Expression {
  if (low === high) return literal(low);
  const free = repeat(digit, low.length - 1, low.length - 1);
  if (/^0*$/.test(low) && /^9*$/.test(high)) return sequence(digit, free);
  const [a, b] = [Number(low[0]), Number(high[0])];
  const [lowTail, highTail] = [low.slice(1), high.slice(1)];
  if (a === b) return sequence(literal(low[0]!), sameLength(lowTail, highTail));
  const [nines, noughts] = ['9'.repeat(low.length - 1), '0'.repeat(low.length - 1)];
  return choice(
    sequence(literal(low[0]!), sameLength(lowTail, nines)),
    ...(a + 1 <= b - 1 ? [sequence(digitsFrom(a + 1, b - 1), free)] : []),
    sequence(literal(high[0]!), sameLength(noughts, highTail)),
  );
}

/** Numbers within bounds, as decimals without an exponent; a bound may be missing. */
export function numbersWithin(low: Bound | undefined, high: Bound | undefined): Expression {
  const zero: Bound = { value: 0, strict: false };
  const positive =
    high && (high.value < 0 || (high.value === 0 && high.strict))
      ? never
      : magnitudes(low && low.value >= 0 ? low : zero, high);
  const from =
    high && high.value < 0 ? { ...high, value: -high.value } : { value: 0, strict: true };
  const to = low && { ...low, value: -low.value };
  const negative = low && low.value >= 0 ? never : magnitudes(from, to);
  return choice(positive, sequence(literal('-'), negative));
}

/** Decimals from `low` (≥ 0) on. */
function magnitudes(low: Bound, high: Bound | undefined): Expression {
  const [first, lowDigits] = decimalOf(low.value);
  const width = Math.max(exactDigits, `${first}`.length);
  const [last, highDigits] = high ? decimalOf(high.value) : [10n ** BigInt(width) - 1n, ''];
  if (last < first) return never;
  const from = { digits: lowDigits, strict: low.strict };
  const to = { digits: highDigits, strict: high?.strict ?? false };
  const places = Math.max(exactDigits - `${last}`.length, lowDigits.length, highDigits.length, 1);
  const written = (int: Expression, fraction: Fractions): Expression =>
    choice(
      ...(fraction.zero ? [int] : []),
      sequence(int, literal('.'), limited(fraction.digits, 1, places)),
    );
  if (first === last) return written(literal(`${first}`), fractionsBetween(from, to));
  return choice(
    written(literal(`${first}`), fractionsFrom(from)),
    written(between(first + 1n, last - 1n), { zero: true, digits: anyDigits }),
    written(literal(`${last}`), fractionsTo(to)),
  );
}

/** A number ≥ 0 as its whole part and the digits after the point, without zeros at the end. */
function decimalOf(value: number): [bigint, string] {
  const [mantissa, exponent = '0'] = `${value}`.split('e');
  const [int, fraction = ''] = mantissa!.split('.');
  const shift = Number(exponent);
  const digits = int! + fraction;
  const point = int!.length + shift;
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const at = Math.max(1, point);
  return [BigInt(padded.slice(0, at)), padded.slice(at).replace(/0+$/, '')];
}

/** Digits after a point whose value is in a range: of one or more, and whether none (0) is in it too. */
interface Fractions {
  readonly zero: boolean;
  readonly digits: Expression;
}
interface FractionBound {
  readonly digits: string;
  readonly strict: boolean;
}

const tail = (text: string): string => text.slice(1);

function fractionsFrom({ digits, strict }: FractionBound): Fractions {
  if (digits === '') {
    return strict
      ? { zero: false, digits: sequence(zeros, digitsFrom(1, 9), anyDigits) }
      : { zero: true, digits: anyDigits };
  }
  const first = Number(digits[0]);
  const after = fractionsFrom({ digits: tail(digits), strict });
  return {
    zero: false,
    digits: choice(
      sequence(digitsFrom(first + 1, 9), anyDigits),
      sequence(literal(digits[0]!), choice(after.digits, ...(after.zero ? [empty] : []))),
    ),
  };
}

function fractionsTo({ digits, strict }: FractionBound): Fractions {
  if (digits === '') return strict ? { zero: false, digits: never } : { zero: true, digits: zeros };
  const first = Number(digits[0]);
  const after = fractionsTo({ digits: tail(digits), strict });
  return {
    zero: true,
    digits: choice(
      sequence(digitsFrom(0, first - 1), anyDigits),
      sequence(literal(digits[0]!), choice(after.digits, ...(after.zero ? [empty] : []))),
    ),
  };
}

function fractionsBetween(low: FractionBound, high: FractionBound): Fractions {
  const length = Math.max(low.digits.length, high.digits.length);
  const [from, to] = [low.digits.padEnd(length, '0'), high.digits.padEnd(length, '0')];
  const zero = /^0*$/.test(from) && !low.strict && !(/^0*$/.test(to) && high.strict);
  if (length === 0)
    return low.strict || high.strict ? { zero: false, digits: never } : { zero, digits: zeros };
  if (from > to) return { zero: false, digits: never };
  const [a, b] = [Number(from[0]), Number(to[0])];
  const joined = (head: string, { zero: ends, digits }: Fractions) =>
    sequence(literal(head), choice(digits, ...(ends ? [empty] : [])));
  if (a === b) {
    const after = fractionsBetween({ ...low, digits: tail(from) }, { ...high, digits: tail(to) });
    return { zero, digits: joined(from[0]!, after) };
  }
  const strip = (text: string) => tail(text).replace(/0+$/, '');
  return {
    zero,
    digits: choice(
      joined(from[0]!, fractionsFrom({ ...low, digits: strip(from) })),
      sequence(digitsFrom(a + 1, b - 1), anyDigits),
      joined(to[0]!, fractionsTo({ ...high, digits: strip(to) })),
    ),
  };
}
