import { JinjaError } from './values.js';

export type TokenKind =
  | 'data'
  | 'name'
  | 'string'
  | 'integer'
  | 'float'
  | 'operator'
  | 'begin'
  | 'end';

/** A part of a template's source; `begin` and `end` enclose a `variable` or a `block`. */
export interface Token {
  kind: TokenKind;
  text: string;
  line: number;
}

/** White space as Python's `str.isspace` has it. */
export const spaces =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const space = new RegExp(`[${spaces}]+`, 'y');
const oneSpace = new RegExp(`[${spaces}]`);
const number = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?[eE][+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/y;
const integer =
  /0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|[1-9](?:_?\d)*|0(?:_?0)*/y;
const name = /[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*/uy;
const string = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"/y;
const operator = /\/\/|\*\*|==|!=|>=|<=|[+\-/*%~[\](){}><=.:|,;]/y;
const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/**
 * Cuts a template into tokens, with Jinja's `trim_blocks` and `lstrip_blocks` on, as transformers sets them.
 *
 * @throws JinjaError naming the line
 */
export function tokenize(template: string): Token[] {
  const source = template.replace(/\r\n|\r/g, '\n').replace(/\n$/, '');
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  let lineStarting = true;
  const fail = (what: string): never => {
    throw new JinjaError(`line ${line}: ${what}`);
  };
  const push = (kind: TokenKind, text: string) => tokens.push({ kind, text, line });
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const moved = (text: string) => {
    for (const char of text) if (char === '\n') line++;
    if (text !== '') lineStarting = text.endsWith('\n');
  };
  /** Adds the text before a tag, stripped as the tag's sign says. */
  const addData = (text: string, sign: string, isVariable: boolean) => {
    let kept = text;
    if (sign === '-') kept = withoutSpaceAtEnd(text);
    else if (sign !== '+' && !isVariable) {
      const start = text.lastIndexOf('\n') + 1;
      const blank = start < text.length && withoutSpaceAtEnd(text.slice(start)) === '';
      if ((start > 0 || lineStarting) && blank) kept = text.slice(0, start);
    }
    if (kept !== '') push('data', kept);
    moved(text);
  };
  /** Takes the end of a tag, with what is trimmed behind it; undefined where it is not there. */
  const takeEnd = (end: string, trims: boolean): string | undefined => {
    const from = at;
    if (source.startsWith(`-${end}`, at)) {
      at += end.length + 1;
      take(space);
    } else if (trims && source.startsWith(`+${end}`, at)) at += end.length + 1;
    else if (source.startsWith(end, at)) {
      at += end.length;
      if (trims && source[at] === '\n') at++;
    } else return undefined;
    return source.slice(from, at);
  };

  /** Takes a name, a number, a string or a sign. */
  const part = (): { kind: TokenKind; text: string } => {
    // `1.2` is a number, but the second part of `a.1.2` is not.
    const float = source[at - 1] === '.' ? undefined : take(number);
    if (float !== undefined) return { kind: 'float', text: float.replaceAll('_', '') };
    const whole = take(integer);
    if (whole !== undefined) return { kind: 'integer', text: whole.replaceAll('_', '') };
    const kinds = [
      ['name', name],
      ['string', string],
      ['operator', operator],
    ] as const;
    for (const [kind, pattern] of kinds) {
      const text = take(pattern);
      if (text !== undefined) return { kind, text };
    }
    return fail(`unexpected char ${JSON.stringify(source[at])}`);
  };

  const insideTag = (end: string, trims: boolean) => {
    const open: string[] = [];
    for (;;) {
      if (open.length === 0) {
        const ended = takeEnd(end, trims);
        if (ended !== undefined) {
          push('end', end);
          moved(ended);
          return;
        }
      }
      const blank = take(space);
      if (blank !== undefined) {
        moved(blank);
        continue;
      }
      if (at >= source.length) fail(`the template ends inside a tag; expected '${end}'`);
      const { kind, text } = part();
      if (kind === 'operator') {
        if (closing[text]) open.push(closing[text]!);
        else if (')]}'.includes(text)) {
          const expected = open.pop();
          if (expected === undefined) fail(`unexpected '${text}'`);
          if (expected !== text) fail(`unexpected '${text}', expected '${expected}'`);
        }
      }
      push(kind, kind === 'string' ? unescaped(text.slice(1, -1), fail) : text);
      moved(text);
    }
  };

  const tag = /\{\{([-+]?)|\{%([-+]?)|\{#([-+]?)/g;
  while (at < source.length) {
    tag.lastIndex = at;
    const found = tag.exec(source);
    if (!found) {
      push('data', source.slice(at));
      break;
    }
    const kind = found[0][1]!;
    const sign = found[1] ?? found[2] ?? found[3] ?? '';
    addData(source.slice(at, found.index), sign, kind === '{');
    at = found.index + found[0].length;
    moved(found[0]);
    if (kind === '#') {
      const end = source.indexOf('#}', at);
      if (end < 0) fail('Missing end of comment tag');
      const before = source[end - 1];
      const comment = source.slice(at, end);
      at = end > at && (before === '-' || before === '+') ? end - 1 : end;
      moved(comment + (takeEnd('#}', true) ?? ''));
      continue;
    }
    const begin = new RegExp(`[${spaces}]*raw[${spaces}]*(?:-%\\}[${spaces}]*|%\\})`, 'y');
    begin.lastIndex = at;
    const rawBegin = kind === '%' ? begin.exec(source) : null;
    if (rawBegin) {
      at += rawBegin[0].length;
      moved(rawBegin[0]);
      const end = new RegExp(`\\{%([-+]?)[${spaces}]*endraw[${spaces}]*(?=[-+]?%\\})`, 'g');
      end.lastIndex = at;
      const rawEnd = end.exec(source) ?? fail('Missing end of raw directive');
      addData(source.slice(at, rawEnd.index), rawEnd[1]!, false);
      at = rawEnd.index + rawEnd[0].length;
      moved(rawEnd[0] + (takeEnd('%}', true) ?? ''));
      continue;
    }
    push('begin', kind === '{' ? 'variable' : 'block');
    insideTag(kind === '{' ? '}}' : '%}', kind === '%');
  }
  return tokens;
}

/** A text without the white space it ends with. */
function withoutSpaceAtEnd(text: string): string {
  let end = text.length;
  while (end > 0 && oneSpace.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}

const escapes: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** A string's text, with Python's escapes read. */
function unescaped(text: string, fail: (what: string) => never): string {
  return text.replace(
    /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g,
    (whole, octal, byte, short, long, char) => {
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      const hex = byte ?? short ?? long;
      if (hex !== undefined) {
        const code = Number.parseInt(hex, 16);
        return code > 0x10ffff
          ? fail(`illegal Unicode character '${whole}'`)
          : String.fromCodePoint(code);
      }
      if ('xuUN'.includes(char)) return fail(`the escape '${whole}' cannot be read`);
      return escapes[char] ?? whole;
    },
  );
}
