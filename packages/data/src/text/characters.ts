/** The characters that Python takes for blanks, as `str.strip` and `str.split` do, inside a class. */
const blank =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

/** The characters that end a line for `str.splitlines`, inside a class. */
const lineEnds = '\\n-\\r\\x1c-\\x1e\\x85\\u2028\\u2029';

const blanks = new RegExp(`[${blank}]+`);
const leading = new RegExp(`^[${blank}]+`);
const onlyBlanks = new RegExp(`^[${blank}]*$`);
const runs = new RegExp(`[^${blank}]+|[${blank}]+`, 'g');
const lineEnd = new RegExp(`\\r\\n|[${lineEnds}]`);

const isBlankCode = (code: number): boolean =>
  code < 0x80
    ? code === 0x20 || (code >= 9 && code <= 13) || (code >= 0x1c && code <= 0x1f)
    : onlyBlanks.test(String.fromCharCode(code));

/** A text without blanks at its start. */
export const trimLeft = (text: string): string => text.replace(leading, '');

/** A text without blanks at its end. */
export function trimRight(text: string): string {
  let end = text.length;
  while (end > 0 && isBlankCode(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** A text without blanks at both ends. */
export const trim = (text: string): string => trimLeft(trimRight(text));

/** Whether a text has nothing but blanks. */
export const isBlank = (text: string): boolean => onlyBlanks.test(text);

/** The pieces of a text between blanks. */
export const splitAtBlanks = (text: string): string[] =>
  text.split(blanks).filter((piece) => piece !== '');

/** Runs of blanks and runs of other characters, in turn. */
export const blankRuns = (text: string): string[] => text.match(runs) ?? [];

/** The lines of a text, split at every line end of Unicode; the last is left out where it is empty. */
export function splitLines(text: string): string[] {
  const lines = text.split(lineEnd);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** How many code points a text has. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) {
      count -= 1;
    }
  }
  return count;
}

/** How often a part occurs in a text, without overlaps. */
export function countOf(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}
