import { InputError } from '@headwise/core';
import { TokenizerError, wholeMatcher } from '@headwise/tokenizers/regex';

/** One token of a pattern: an escape, a set, a group's opening, a counted repeat, or any other character. */
const token =
  /\\(?:x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|U[\dA-Fa-f]{8}|[\s\S])|\[\^?\]?(?:\\[\s\S]|[^\]\\])*\]|\(\?P<\w+>|\(\?#[^)]*\)|\(\?(?:<[=!]|[:=!>])|\(\?[a-zA-Z-]*[:)]|\(\?|\{(?:\d+(?:,\d*)?|,\d*)\}\+?|[\s\S]/gu;

const maxLength = 10_000;

/**
 * Tests whether a pattern of Python's `re` matches a whole text, as `re.fullmatch` does, in linear time.
 *
 * @throws InputError naming the pattern and what cannot be used of it: back-references, verbose and multi-line patterns
 */
export function fullMatcher(source: string): (text: string) => boolean {
  const named = (error: unknown): never => {
    if (error instanceof TokenizerError) throw new InputError(error.message);
    throw error;
  };
  let matches: (text: string) => boolean;
  try {
    matches = wholeMatcher(fromPython(source));
  } catch (error) {
    return named(error);
  }
  return (text) => {
    try {
      return matches(text);
    } catch (error) {
      return named(error);
    }
  };
}

/** A pattern of Python's `re` in Oniguruma's syntax. */
function fromPython(source: string): string {
  if (source.length > maxLength) {
    throw new InputError(
      `a pattern has ${source.length} characters; expected at most ${maxLength}`,
    );
  }
  const refuse = (what: string): never => {
    throw new InputError(`pattern '${source.slice(0, 200)}': cannot use ${what}`);
  };
  return source.replace(token, (found, at: number) => {
    switch (found[0]) {
      case '\\':
        return escaped(found, refuse);
      case '[':
        return found.length > 1 ? set(found, refuse) : refuse("an unclosed '['");
      case '^':
        return '\\A';
      case '$':
        return '(?=\\n?\\z)';
      case '{':
        return found.length > 1 ? repeat(found, refuse) : '\\{';
      case '(':
        return group(found, at, refuse);
      default:
        return found;
    }
  });
}

type Refuse = (what: string) => never;

function escaped(found: string, refuse: Refuse): string {
  const name = found[1]!;
  if (/[xuU]/.test(name) && found.length > 2)
    return `\\x{${found.slice(2).replace(/^0+(?=.{1,6}$)/, '')}}`;
  if (name === 'Z') return '\\z';
  if (/[dDwWsSbBAntrfva]/.test(name) || !/[A-Za-z0-9]/.test(name)) return found;
  return refuse(`'${found}'`);
}

function set(found: string, refuse: Refuse): string {
  const negative = found.startsWith('[^') ? '^' : '';
  const items = found.slice(1 + negative.length, -1);
  // Brackets and && are characters like others in Python's sets.
  const inner = items.replace(
    /\\(?:x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|U[\dA-Fa-f]{8}|[\s\S])|[[\]&]/gu,
    (item) => {
      if (item[0] !== '\\') return `\\${item}`;
      if (/^\\[BAZ]$/.test(item)) refuse(`'${item}' in a set`);
      return escaped(item, refuse);
    },
  );
  return `[${negative}${inner}]`;
}

function repeat(found: string, refuse: Refuse): string {
  if (found.endsWith('+')) refuse(`'${found}'`);
  if (/\d{5}/.test(found)) refuse(`'${found}'; a repeat is counted to 9,999 at most`);
  return found === '{,}' ? '*' : found;
}

function group(found: string, at: number, refuse: Refuse): string {
  if (found === '(' || /^\(\?(?:<[=!]|[:=!>])$/.test(found)) return found;
  if (found.startsWith('(?P<')) return '(?:';
  if (found.startsWith('(?#')) return '';
  const flags = /^\(\?([aisu]*)(?:-([is]+))?([:)])$/.exec(found);
  if (!flags || (flags[3] === ')' && at > 0)) return refuse(`'${found}'`);
  // What Python calls s, Oniguruma calls m; a and u change nothing in names of modules.
  const [on, off] = [flags[1], flags[2]].map((letters = '') =>
    letters.replace(/[au]/g, '').replace('s', 'm'),
  );
  return `(?${on}${off ? `-${off}` : ''}${flags[3]}`;
}
