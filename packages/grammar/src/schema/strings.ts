import { InputError } from '@headwise/core';
import { allChars } from '../char-ranges.js';
import {
  both,
  chars,
  choice,
  type Expression,
  inString,
  literal,
  repeat,
  sequence,
} from '../expression.js';
import { anyText, limited, parseRegex } from '../regex.js';

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

const name = '[a-z0-9]{1,16}(?:-[a-z0-9]{1,16}){0,2}';
const host = `(?:${name}\\.){1,3}[a-z]{2,8}`;
const path = '(?:/[A-Za-z0-9._~-]{0,32}){0,4}';

/** Formats by name: regular expressions of texts that are valid in them, though not of all. */
const formats: Readonly<Record<string, string>> = {
  date,
  time,
  'date-time': `${date}T${time}`,
  duration: 'P(?:\\d{1,4}[YMWD]|T\\d{1,4}[HMS])',
  uuid: '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
  ipv4: `${byte}(?:\\.${byte}){3}`,
  ipv6: '[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}',
  hostname: host,
  uri: `https?://${host}${path}(?:\\?[a-z0-9]{1,16}=[a-z0-9]{0,16})?(?:#[a-z0-9-]{1,16})?`,
  email: '[a-z0-9]{1,32}(?:\\.[a-z0-9]{1,16})?@[a-z0-9]{1,32}(?:\\.[a-z]{2,8}){1,2}',
};

/** What a schema says of strings. */
export interface StringBounds {
  /** All of them match. */
  readonly patterns: readonly string[];
  readonly format?: string | undefined;
  readonly minLength: number;
  readonly maxLength: number;
}

/**
 * JSON strings within bounds.
 *
 * @param what the place in the schema, for errors
 * @throws InputError for a pattern that cannot be read, and an unknown format without a pattern
 */
export function stringsWithin(bounds: StringBounds, what: string): Expression {
  const content = contentWithin(bounds, what);
  return content === anyText ? anyString : stringOf(content);
}

/** The texts within bounds, as they are before they are written as JSON. */
export function contentWithin(
  { patterns, format, minLength, maxLength }: StringBounds,
  what: string,
): Expression {
  const parts = patterns.map((pattern) => parseRegex(pattern, 'part', `${what}: pattern`));
  const known = format === undefined ? undefined : formats[format];
  if (known !== undefined) parts.push(parseRegex(known, 'whole'));
  else if (format !== undefined && parts.length === 0) {
    throw new InputError(
      `${what}: format is "${format}"; expected one of ${Object.keys(formats).join(', ')}, or a pattern`,
    );
  }
  const isLimited = minLength > 0 || maxLength < Number.POSITIVE_INFINITY;
  if (parts.length === 0) {
    return isLimited ? repeat(chars(allChars), minLength, maxLength) : anyText;
  }
  const all = parts.reduce(both);
  return isLimited ? limited(all, minLength, maxLength) : all;
}

/** The texts of a JSON string that is none of some, and a text of an expression. */
export function stringOtherThan(texts: readonly string[], names: Expression): Expression {
  const others = otherThan(texts.map((text) => Array.from(text, (char) => char.codePointAt(0)!)));
  if (names === anyText) return stringOf(others);
  return stringOf(others === anyText ? names : both(others, names));
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
