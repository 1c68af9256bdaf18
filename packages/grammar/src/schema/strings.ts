import { InputError } from '@headwise/core';
import { allChars } from '../char-ranges.js';
import {
  chars,
  choice,
  type Expression,
  inString,
  limited,
  literal,
  repeat,
  sequence,
} from '../expression.js';
import { anyText, parseRegex } from '../regex.js';

const quote = literal('"');
const hex = chars([
  [0x30, 0x39],
  [0x41, 0x46],
  [0x61, 0x66],
]);

/** A JSON string of any text, with every escape that JSON has. */
export const anyString: Expression = sequence(
  quote,
  repeat(
    choice(
      { kind: 'chars', ranges: allChars, escaped: true },
      literal('\\/'),
      sequence(literal('\\u'), hex, hex, hex, hex),
    ),
    0,
  ),
  quote,
);

/** A JSON string whose content is a text of an expression; control characters and the like are escaped. */
export const stringOf = (content: Expression): Expression =>
  sequence(quote, inString(content), quote);

const date =
  '\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))';
const time =
  '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)';
const byte = '(?:\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])';

/** Formats by name: regular expressions of texts that are valid in them, though not of all. */
const formats: Readonly<Record<string, string>> = {
  date,
  time,
  'date-time': `${date}T${time}`,
  uuid: '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
  ipv4: `${byte}(?:\\.${byte}){3}`,
  email: '[a-z0-9]{1,32}(?:\\.[a-z0-9]{1,16})?@[a-z0-9]{1,32}(?:\\.[a-z]{2,8}){1,2}',
};

/** What a schema says of strings. */
export interface StringBounds {
  readonly pattern?: string | undefined;
  readonly format?: string | undefined;
  readonly minLength: number;
  readonly maxLength: number;
}

/**
 * JSON strings within bounds.
 *
 * @param what the place in the schema, for errors
 * @throws InputError for a pattern that cannot be read and an unknown format
 */
export function stringsWithin(
  { pattern, format, minLength, maxLength }: StringBounds,
  what: string,
): Expression {
  const isLimited = minLength > 0 || maxLength < Number.POSITIVE_INFINITY;
  if (pattern === undefined && format === undefined) {
    return isLimited ? stringOf(repeat(chars(allChars), minLength, maxLength)) : anyString;
  }
  if (pattern !== undefined && format !== undefined) {
    throw new InputError(`${what}: both pattern and format are given; expected one of them`);
  }
  const known = format === undefined ? undefined : formats[format];
  if (format !== undefined && known === undefined) {
    throw new InputError(
      `${what}: format is "${format}"; expected one of ${Object.keys(formats).join(', ')}, or a pattern`,
    );
  }
  const content =
    known === undefined
      ? parseRegex(pattern!, 'part', `${what}: pattern`)
      : parseRegex(known, 'whole');
  return stringOf(isLimited ? limited(content, minLength, maxLength) : content);
}

/** The texts of a JSON string that is none of some. */
export function stringOtherThan(texts: readonly string[]): Expression {
  return stringOf(otherThan(texts.map((text) => Array.from(text, (char) => char.codePointAt(0)!))));
}

function otherThan(texts: readonly (readonly number[])[]): Expression {
  if (texts.length === 0) return anyText;
  const heads = [...new Set(texts.flatMap(([head]) => (head === undefined ? [] : [head])))].sort(
    (a, b) => a - b,
  );
  const ends = texts.some(({ length }) => length === 0);
  const others = sequence(chars(without(heads)), anyText);
  const going = heads.map((head) =>
    sequence(
      chars([[head, head]]),
      otherThan(texts.filter(([first]) => first === head).map(([, ...rest]) => rest)),
    ),
  );
  return choice(...(ends ? [] : [sequence()]), others, ...going);
}

function without(codes: readonly number[]): [number, number][] {
  return allChars.flatMap(([first, last]) => {
    const ranges: [number, number][] = [];
    let next = first;
    for (const code of codes) {
      if (code < next || code > last) continue;
      if (next < code) ranges.push([next, code - 1]);
      next = code + 1;
    }
    if (next <= last) ranges.push([next, last]);
    return ranges;
  });
}
