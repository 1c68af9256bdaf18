import { bind, numberOf, wholeNumber } from './arguments.js';
import type { Filter } from './filter.js';
import { fixed } from './format.js';
import { stripped } from './methods.js';
import { roundFloat, roundWhole } from './numbers.js';
import { repr, str } from './print.js';
import { isNumber, isString, isTrue, JinjaError, textOf, Undefined, type Value } from './values.js';

export const round: Filter = (value, args, named) => {
  const [precision = 0n, method = 'common'] = bind('round', ['precision', 'method'], args, named);
  const digits = wholeNumber(precision, 'precision');
  if (!['common', 'ceil', 'floor'].includes(str(method))) {
    throw new JinjaError('FilterArgumentError: method must be common, ceil or floor');
  }
  if (value instanceof Undefined) value.fail();
  if (method === 'common') {
    if (typeof value === 'number') return roundFloat(value, digits);
    const whole = BigInt(wholeNumber(value, 'the rounded value'));
    return digits < 0
      ? roundWhole(typeof value === 'bigint' ? value : whole, BigInt(digits))
      : typeof value === 'bigint'
        ? value
        : whole;
  }
  const scaled = numberOf(value, 'the rounded value') * 10 ** digits;
  const whole = method === 'ceil' ? Math.ceil(scaled) : Math.floor(scaled);
  return whole / 10 ** digits;
};

/** A text as Python's `int` or `float` reads it; undefined where it does not. */
function parsed(text: string, base: number): bigint | undefined {
  const bare = stripped(text)
    .replaceAll(/(?<=[\da-zA-Z])_(?=[\da-zA-Z])/g, '')
    .toLowerCase();
  const [, sign, prefix, digits] = /^([+-]?)(0[xob])?([\da-z]+)$/.exec(bare) ?? [];
  if (digits === undefined) return undefined;
  const own = { '0x': 16, '0o': 8, '0b': 2 }[prefix ?? ''];
  const used = base === 0 ? (own ?? 10) : base;
  if (own !== undefined && own !== used) return undefined;
  let value = 0n;
  for (const digit of digits) {
    const number = Number.parseInt(digit, 36);
    if (!(number < used)) return undefined;
    value = value * BigInt(used) + BigInt(number);
  }
  return sign === '-' ? -value : value;
}

function parsedFloat(text: string): number | undefined {
  const bare = stripped(text).replaceAll(/(?<=\d)_(?=\d)/g, '');
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(bare)) return Number(bare);
  const named = /^([+-]?)(?:(inf|infinity)|nan)$/i.exec(bare);
  if (!named) return undefined;
  return named[2] ? (named[1] === '-' ? -1 : 1) * Number.POSITIVE_INFINITY : Number.NaN;
}

export const int: Filter = (value, args, named) => {
  const [missing = 0n, base = 10n] = bind('int', ['default', 'base'], args, named);
  const ofFloat = (number: number | undefined): Value =>
    number !== undefined && Number.isFinite(number) ? BigInt(Math.trunc(number)) : missing;
  if (value instanceof Undefined) value.fail();
  if (isString(value)) {
    const text = textOf(value);
    return parsed(text, wholeNumber(base, 'base')) ?? ofFloat(parsedFloat(text));
  }
  if (typeof value === 'number') return ofFloat(value);
  return isNumber(value) ? BigInt(value) : missing;
};

export const float: Filter = (value, args, named) => {
  const [missing = 0] = bind('float', ['default'], args, named);
  if (value instanceof Undefined) value.fail();
  if (isString(value)) return parsedFloat(textOf(value)) ?? missing;
  return isNumber(value) ? Number(value) : missing;
};

export const filesizeformat: Filter = (value, args, named) => {
  const isBinary = isTrue(bind('filesizeformat', ['binary'], args, named)[0] ?? false);
  const bytes = isString(value) ? parsedFloat(textOf(value)) : numberOf(value, 'a size');
  if (bytes === undefined)
    throw new JinjaError(`ValueError: could not convert string to float: ${repr(value)}`);
  const base = isBinary ? 1024 : 1000;
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const sizes = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
  let at = 0;
  while (at < sizes.length - 1 && bytes >= base ** (at + 2)) at++;
  const unit = isBinary ? `${sizes[at]!.toUpperCase()}iB` : `${sizes[at]}B`;
  return `${fixed((base * bytes) / base ** (at + 2), 1)} ${unit}`;
};
