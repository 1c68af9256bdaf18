import { bind, type Named, type Positional, wholeNumber } from './arguments.js';
import { formatBraces } from './format.js';
import { spaces } from './lexer.js';
import { equals } from './operators.js';
import { escapeHtml, repr } from './print.js';
import {
  charsOf,
  Dict,
  Func,
  type Host,
  isString,
  itemsOf,
  iterate,
  JinjaError,
  Markup,
  Tuple,
  textOf,
  typeOf,
  Undefined,
  type Value,
} from './values.js';

type Method<T> = (self: T, args: Positional, named: Named) => Value;
type Member = (value: Value, name: string, isItem: boolean) => Value;

const space = `[${spaces}]`;
const cased = /\p{Lu}|\p{Lt}|\p{Ll}/u;
const upperLetter = /[\p{Lu}\p{Lt}]/u;

const text = (value: Value | undefined, what: string): string => {
  if (value !== undefined && isString(value)) return textOf(value);
  throw new JinjaError(`TypeError: ${what} must be str, not ${typeOf(value ?? null)}`);
};

/** `strip`, `lstrip` and `rstrip`: white space, or the characters given. */
function strip(self: string, chars: Value | undefined, left: boolean, right: boolean): string {
  const set =
    chars === undefined || chars === null ? undefined : new Set(charsOf(text(chars, 'strip arg')));
  const isSpace = new RegExp(`^${space}$`);
  const drops = (char: string) => (set ? set.has(char) : isSpace.test(char));
  const all = charsOf(self);
  let [from, to] = [0, all.length];
  if (left) while (from < to && drops(all[from]!)) from++;
  if (right) while (to > from && drops(all[to - 1]!)) to--;
  return all.slice(from, to).join('');
}

export const stripped = (self: string, chars?: Value): string => strip(self, chars, true, true);

/** What stands between white space. */
export const wordsOf = (self: string): string[] =>
  self.match(new RegExp(`[^${spaces}]+`, 'g')) ?? [];

/** `split` and `rsplit`. */
function split(self: string, args: Positional, named: Named, fromRight: boolean): Value[] {
  const [separator = null, most = -1n] = bind('split', ['sep', 'maxsplit'], args, named);
  const limit = wholeNumber(most, 'maxsplit');
  if (separator === null) {
    const words = wordsOf(self);
    if (limit < 0 || words.length <= limit) return words;
    const edge = fromRight ? strip(self, null, false, true) : strip(self, null, true, false);
    const word = fromRight
      ? new RegExp(`^([\\s\\S]*?)${space}*([^${spaces}]+)$`)
      : new RegExp(`^([^${spaces}]+)${space}*([\\s\\S]*)$`);
    const found: Value[] = [];
    let rest = edge;
    for (let i = 0; i < limit; i++) {
      const [, first, second] = word.exec(rest)!;
      found.push(fromRight ? second! : first!);
      rest = fromRight ? first! : second!;
    }
    if (rest !== '') found.push(rest);
    return fromRight ? found.reverse() : found;
  }
  const sign = text(separator, 'sep');
  if (sign === '') throw new JinjaError('ValueError: empty separator');
  const parts = self.split(sign);
  if (limit < 0 || parts.length - 1 <= limit) return parts;
  if (fromRight) {
    const cut = parts.length - limit;
    return [parts.slice(0, cut).join(sign), ...parts.slice(cut)];
  }
  return [...parts.slice(0, limit), parts.slice(limit).join(sign)];
}

/** The start and end of a part, in characters, as `find`, `count` and `startswith` take them. */
function part(self: string, args: Positional): [chars: string[], start: number] {
  const all = charsOf(self);
  const at = (value: Value | undefined, missing: number) => {
    if (value === undefined || value === null) return missing;
    const index = wholeNumber(value, 'a slice index');
    return Math.min(Math.max(index < 0 ? index + all.length : index, 0), all.length);
  };
  const start = at(args[1], 0);
  return [all.slice(start, at(args[2], all.length)), start];
}

function find(self: string, args: Positional, last: boolean): number {
  const wanted = text(args[0], 'sub');
  const [chars, start] = part(self, args);
  const inside = chars.join('');
  const at = last ? inside.lastIndexOf(wanted) : inside.indexOf(wanted);
  return at < 0 ? -1 : start + charsOf(inside.slice(0, at)).length;
}

function found(self: string, args: Positional, last: boolean): bigint {
  const at = find(self, args, last);
  if (at < 0) throw new JinjaError('ValueError: substring not found');
  return BigInt(at);
}

function edge(
  self: string,
  args: Positional,
  what: string,
  test: 'startsWith' | 'endsWith',
): boolean {
  const wanted = args[0] instanceof Tuple ? args[0].items : [args[0]];
  const [chars] = part(self, args);
  return wanted.some((item) => chars.join('')[test](text(item, `${what} first arg`)));
}

function aligned(self: string, args: Positional, side: 'left' | 'right' | 'center'): string {
  const width = wholeNumber(args[0] ?? null, 'width');
  const fill = args[1] === undefined ? ' ' : text(args[1], 'the fill character');
  if (charsOf(fill).length !== 1) {
    throw new JinjaError('TypeError: The fill character must be exactly one character long');
  }
  if (width > 1_000_000)
    throw new JinjaError(`a width of ${width} characters; expected at most 1000000`);
  const missing = width - charsOf(self).length;
  if (missing <= 0) return self;
  // As Python: the odd blank stands left where the width is odd.
  const left =
    side === 'right' ? missing : side === 'left' ? 0 : (missing >> 1) + (missing & width & 1);
  return fill.repeat(left) + self + fill.repeat(missing - left);
}

export const capitalized = (self: string): string => {
  const [first = '', ...rest] = charsOf(self);
  return titled(first) + rest.join('').toLowerCase();
};

/** Characters whose form at the beginning of a word is neither upper nor lower case. */
const digraphs: Readonly<Record<string, string>> = { ǆ: 'ǅ', ǉ: 'ǈ', ǌ: 'ǋ', ǳ: 'ǲ' };

/** A character as words begin with it. */
const titled = (char: string): string => {
  const digraph = digraphs[char.toLowerCase()];
  if (digraph) return digraph;
  const upper = char.toUpperCase();
  return charsOf(upper).length > 1 ? upper[0]! + upper.slice(1).toLowerCase() : upper;
};

function titleCase(self: string): string {
  let before = false;
  let out = '';
  for (const char of self) {
    out += before ? char.toLowerCase() : titled(char);
    before = cased.test(char);
  }
  return out;
}

const isAll =
  (pattern: RegExp): Method<string> =>
  (self) =>
    self !== '' && charsOf(self).every((char) => pattern.test(char));

function isTitle(self: string): boolean {
  let [before, any] = [false, false];
  for (const char of self) {
    if (upperLetter.test(char)) {
      if (before) return false;
      [before, any] = [true, true];
    } else if (/\p{Ll}/u.test(char)) {
      if (!before) return false;
      any = true;
    } else before = false;
  }
  return any;
}

function partition(self: string, args: Positional, last: boolean): Tuple {
  const sign = text(args[0], 'sep');
  if (sign === '') throw new JinjaError('ValueError: empty separator');
  const at = last ? self.lastIndexOf(sign) : self.indexOf(sign);
  if (at < 0) return new Tuple(last ? ['', '', self] : [self, '', '']);
  return new Tuple([self.slice(0, at), sign, self.slice(at + sign.length)]);
}

/** What ends a line, as Python's `splitlines` has it. */
const lineBreak = '(?:\\r\\n|[\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029])';

/** The lines of a text; with `keep` with what ends them. */
export function splitLines(self: string, keep = false): string[] {
  const parts = self.split(new RegExp(`(${lineBreak})`));
  const lines: string[] = [];
  for (let i = 0; i < parts.length; i += 2)
    lines.push(parts[i]! + (keep ? (parts[i + 1] ?? '') : ''));
  if (parts.at(-1) === '') lines.pop();
  return lines;
}

export function replaced(self: string, from: string, to: string, count = -1): string {
  if (count < 0) return self.replaceAll(from, () => to);
  let left = count;
  return self.replace(
    new RegExp(from.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), from === '' ? 'gu' : 'g'),
    (whole) => (left-- > 0 ? to : whole),
  );
}

/** The methods of `str`. */
const ofText: Readonly<Record<string, Method<string>>> = {
  capitalize: (self) => capitalized(self),
  casefold: (self) => self.toUpperCase().toLowerCase().replaceAll('ß', 'ss').replaceAll('ς', 'σ'),
  center: (self, args) => aligned(self, args, 'center'),
  count(self, args) {
    const wanted = text(args[0], 'sub');
    const [chars] = part(self, args);
    return BigInt(wanted === '' ? chars.length + 1 : chars.join('').split(wanted).length - 1);
  },
  endswith: (self, args) => edge(self, args, 'endswith', 'endsWith'),
  expandtabs(self, args, named) {
    const size = wholeNumber(bind('expandtabs', ['tabsize'], args, named)[0] ?? 8n, 'tabsize');
    let column = 0;
    return Array.from(self, (char) => {
      if (char !== '\t') {
        column = char === '\n' || char === '\r' ? 0 : column + 1;
        return char;
      }
      const blanks = size > 0 ? size - (column % size) : 0;
      column += blanks;
      return ' '.repeat(blanks);
    }).join('');
  },
  find: (self, args) => BigInt(find(self, args, false)),
  index: (self, args) => found(self, args, false),
  isalnum: isAll(/[\p{L}\p{Nd}\p{Nl}\p{No}]/u),
  isalpha: isAll(/\p{L}/u),
  isascii: (self) => /^[\0-\x7f]*$/.test(self),
  isdecimal: isAll(/\p{Nd}/u),
  isdigit: isAll(/[\p{Nd}²³¹⁰⁴-⁹₀-₉]/u),
  isidentifier: (self) => /^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(self),
  islower: (self) => /\p{Ll}/u.test(self) && !upperLetter.test(self),
  isnumeric: isAll(/[\p{Nd}\p{Nl}\p{No}]/u),
  isprintable: (self) => !/[\p{C}\p{Z}]/u.test(self.replaceAll(' ', '')),
  isspace: isAll(new RegExp(`^${space}$`)),
  istitle: (self) => isTitle(self),
  isupper: (self) => upperLetter.test(self) && !/\p{Ll}/u.test(self),
  join: (self, args) =>
    Array.from(iterate(args[0] ?? null), (item, i) => text(item, `sequence item ${i}`)).join(self),
  ljust: (self, args) => aligned(self, args, 'left'),
  lower: (self) => self.toLowerCase(),
  lstrip: (self, args) => strip(self, args[0], true, false),
  partition: (self, args) => partition(self, args, false),
  removeprefix(self, args) {
    const prefix = text(args[0], 'prefix');
    return self.startsWith(prefix) ? self.slice(prefix.length) : self;
  },
  removesuffix(self, args) {
    const suffix = text(args[0], 'suffix');
    return suffix !== '' && self.endsWith(suffix) ? self.slice(0, -suffix.length) : self;
  },
  replace(self, args, named) {
    const [from, to, count = -1n] = bind('replace', ['old', 'new', 'count'], args, named);
    return replaced(self, text(from, 'old'), text(to, 'new'), wholeNumber(count, 'count'));
  },
  rfind: (self, args) => BigInt(find(self, args, true)),
  rindex: (self, args) => found(self, args, true),
  rjust: (self, args) => aligned(self, args, 'right'),
  rpartition: (self, args) => partition(self, args, true),
  rsplit: (self, args, named) => split(self, args, named, true),
  rstrip: (self, args) => strip(self, args[0], false, true),
  split: (self, args, named) => split(self, args, named, false),
  splitlines: (self, args, named) =>
    splitLines(self, Boolean(bind('splitlines', ['keepends'], args, named)[0] ?? false)),
  startswith: (self, args) => edge(self, args, 'startswith', 'startsWith'),
  strip: (self, args) => stripped(self, args[0]),
  swapcase: (self) =>
    Array.from(self, (char) =>
      upperLetter.test(char) ? char.toLowerCase() : char.toUpperCase(),
    ).join(''),
  title: (self) => titleCase(self),
  upper: (self) => self.toUpperCase(),
  zfill(self, args) {
    const width = Math.min(wholeNumber(args[0] ?? null, 'width'), 1_000_000);
    const sign = /^[+-]/.exec(self)?.[0] ?? '';
    return sign + self.slice(sign.length).padStart(width - sign.length, '0');
  },
};

const notByTemplates = new Set(['encode', 'maketrans', 'translate']);

/** A dict's keys, values or items, as they are now. */
class View implements Host {
  constructor(
    readonly type: string,
    readonly dict: Dict,
    readonly read: () => Value[],
  ) {}

  iterate(): Iterable<Value> {
    return this.read();
  }

  size(): number {
    return this.dict.size;
  }

  print(): string {
    return `${this.type}(${repr(this.read())})`;
  }
}

const ofDict: Readonly<Record<string, Method<Dict>>> = {
  copy: (self) => new Dict(self.items()),
  get(self, [key = null, missing = null]) {
    const found = self.get(key);
    return found === undefined ? missing : found;
  },
  items: (self) =>
    new View('dict_items', self, () => self.items().map((entry) => new Tuple(entry))),
  keys: (self) => new View('dict_keys', self, () => self.keys()),
  values: (self) => new View('dict_values', self, () => self.values()),
};

const ofList: Readonly<Record<string, Method<readonly Value[]>>> = {
  count: (self, args) => BigInt(self.filter((item) => equals(item, args[0] ?? null)).length),
  index(self, args) {
    const at = self.findIndex((item) => equals(item, args[0] ?? null));
    if (at < 0) throw new JinjaError(`ValueError: ${repr(args[0] ?? null)} is not in list`);
    return BigInt(at);
  },
};

/** Methods that change what they belong to; templates run in a sandbox that forbids them. */
const forbidden: Readonly<Record<string, ReadonlySet<string>>> = {
  list: new Set(['append', 'clear', 'extend', 'insert', 'pop', 'remove', 'reverse', 'sort']),
  dict: new Set(['clear', 'pop', 'popitem', 'setdefault', 'update']),
};

/** A method of a value, by name; undefined if it does not exist. */
export function methodOf(value: Value, name: string, member: Member): Value | undefined {
  const type = typeOf(value);
  if (name.startsWith('__') || forbidden[type]?.has(name)) {
    return new Undefined(
      `SecurityError: access to attribute '${name}' of '${type}' object is unsafe.`,
    );
  }
  const func = (run: (args: Positional, named: Named) => Value) => new Func(name, run);
  if (isString(value)) {
    const self = textOf(value);
    if (notByTemplates.has(name)) {
      return func(() => {
        throw new JinjaError(`str.${name} cannot be used in templates here`);
      });
    }
    if (name === 'format' || name === 'format_map') {
      return func((args, named) => {
        const map = name === 'format' ? new Dict(named) : (args[0] as Dict);
        const wrapped = value instanceof Markup ? args.map(escapeHtml) : args;
        return formatBraces(self, name === 'format' ? wrapped : [], map, member);
      });
    }
    if (!Object.hasOwn(ofText, name)) return undefined;
    return func((args, named) => ofText[name]!(self, args, named));
  }
  if (value instanceof Dict) {
    if (!Object.hasOwn(ofDict, name)) return undefined;
    return func((args, named) => ofDict[name]!(value, args, named));
  }
  const items = itemsOf(value);
  if (items && Object.hasOwn(ofList, name))
    return func((args, named) => ofList[name]!(items, args, named));
  if (Array.isArray(value) && name === 'copy') return func(() => [...value]);
  if (typeof value === 'number' && name === 'is_integer')
    return func(() => Number.isInteger(value));
  if (typeof value === 'bigint' && name === 'bit_length') {
    return func(() => BigInt(value === 0n ? 0 : (value < 0n ? -value : value).toString(2).length));
  }
  return undefined;
}
