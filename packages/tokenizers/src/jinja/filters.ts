import { bind, type Named, numberOf, type Positional, wholeNumber } from './arguments.js';
import { fixed, formatPercent } from './format.js';
import { capitalized, replaced, splitLines, stripped, wordsOf } from './methods.js';
import { roundFloat, roundWhole } from './numbers.js';
import { binary, equals, ignoringCase, order, sorted } from './operators.js';
import { escapeHtml, jsonText, repr, str } from './print.js';
import {
  charsOf,
  Dict,
  Generator,
  hashOf,
  isHost,
  isNumber,
  isString,
  isTrue,
  itemsOf,
  iterate,
  JinjaError,
  lengthOf,
  Markup,
  Range,
  Tuple,
  textOf,
  typeOf,
  Undefined,
  type Value,
} from './values.js';

/** The operations of the template that filters call. */
export interface Engine {
  /** `value[key]`, or its attribute of that name. */
  item(value: Value, key: Value): Value;
  attribute(value: Value, name: string): Value;
  filter(name: string, value: Value, args: Positional, named: Named): Value;
  test(name: string, value: Value, args: Positional, named: Named): boolean;
}

export type Filter = (value: Value, args: Positional, named: Named, engine: Engine) => Value;

/** Reads an attribute such as `'address.city'` or `0` of a value. */
function getter(engine: Engine, attribute: Value, missing?: Value): (value: Value) => Value {
  const parts: Value[] =
    attribute === null
      ? []
      : isString(attribute)
        ? textOf(attribute)
            .split('.')
            .map((part) => (/^\d+$/.test(part) ? BigInt(part) : part))
        : [attribute];
  return (value) => {
    let found = value;
    for (const part of parts) {
      found = engine.item(found, part);
      if (missing !== undefined && missing !== null && found instanceof Undefined) found = missing;
    }
    return found;
  };
}

const caseKey =
  (get: (value: Value) => Value, caseSensitive: Value | undefined) =>
  (value: Value): Value =>
    isTrue(caseSensitive ?? false) ? get(value) : ignoringCase(get(value));

function extreme(name: string, sign: 1 | -1): Filter {
  return (value, args, named, engine) => {
    const [caseSensitive, attribute = null] = bind(
      name,
      ['case_sensitive', 'attribute'],
      args,
      named,
    );
    const key = caseKey(getter(engine, attribute), caseSensitive);
    let best: Value | undefined;
    let bestKey: Value = null;
    for (const item of iterate(value)) {
      const itemKey = key(item);
      if (best === undefined || sign * order(itemKey, bestKey, sign < 0 ? '>' : '<') < 0)
        [best, bestKey] = [item, itemKey];
    }
    if (best !== undefined) return best;
    return new Undefined('UndefinedError: No aggregated item, sequence was empty.');
  };
}

/** `select`, `reject`, `selectattr` and `rejectattr`. */
function selecting(wanted: boolean, byAttribute: boolean): Filter {
  return (value, args, named, engine) => {
    if (byAttribute && args.length === 0) {
      throw new JinjaError('FilterArgumentError: Missing parameter for attribute name');
    }
    const get = byAttribute ? getter(engine, args[0]!) : (item: Value) => item;
    const [name, ...rest] = byAttribute ? args.slice(1) : args;
    const passes = (item: Value) =>
      name === undefined ? isTrue(item) : engine.test(str(name), item, rest, named);
    return new Generator(
      (function* () {
        if (!isTrue(value)) return;
        for (const item of iterate(value)) if (passes(get(item)) === wanted) yield item;
      })(),
    );
  };
}

const map: Filter = (value, args, named, engine) => {
  let change: (item: Value) => Value;
  if (args.length === 0 && named.has('attribute')) {
    const [attribute, missing] = bind('map', ['attribute', 'default'], [], named);
    change = getter(engine, attribute!, missing);
  } else if (args.length === 0) {
    throw new JinjaError('FilterArgumentError: map requires a filter argument');
  } else change = (item) => engine.filter(str(args[0]!), item, args.slice(1), named);
  return new Generator(
    (function* () {
      if (!isTrue(value)) return;
      for (const item of iterate(value)) yield change(item);
    })(),
  );
};

const round: Filter = (value, args, named) => {
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

const int: Filter = (value, args, named) => {
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

const float: Filter = (value, args, named) => {
  const [missing = 0] = bind('float', ['default'], args, named);
  if (value instanceof Undefined) value.fail();
  if (isString(value)) return parsedFloat(textOf(value)) ?? missing;
  return isNumber(value) ? Number(value) : missing;
};

const indent: Filter = (value, args, named) => {
  const [width = 4n, first, blank] = bind('indent', ['width', 'first', 'blank'], args, named);
  const by = isString(width)
    ? textOf(width)
    : ' '.repeat(Math.min(1000, Math.max(0, wholeNumber(width, 'width'))));
  if (value instanceof Undefined) value.fail();
  if (!isString(value))
    throw new JinjaError(`TypeError: indent: a value of type '${typeOf(value)}'; expected a text`);
  const [head = '', ...rest] = splitLines(`${textOf(value)}\n`);
  const all = isTrue(blank ?? false);
  const text = [head, ...rest.map((line) => (line || all ? by + line : line))].join('\n');
  const out = isTrue(first ?? false) ? by + text : text;
  return value instanceof Markup ? new Markup(out) : out;
};

const truncate: Filter = (value, args, named) => {
  const [length = 255n, killwords, end = '...', leeway = 5n] = bind(
    'truncate',
    ['length', 'killwords', 'end', 'leeway'],
    args,
    named,
  );
  const chars = charsOf(str(value));
  const [most, tail] = [wholeNumber(length, 'length'), charsOf(str(end))];
  if (most < tail.length) {
    throw new JinjaError(`AssertionError: expected length >= ${tail.length}, got ${most}`);
  }
  if (chars.length <= most + wholeNumber(leeway, 'leeway')) return str(value);
  const kept = chars.slice(0, most - tail.length).join('');
  const at = kept.lastIndexOf(' ');
  return (isTrue(killwords ?? false) || at < 0 ? kept : kept.slice(0, at)) + tail.join('');
};

const sort: Filter = (value, args, named, engine) => {
  const [reverse, caseSensitive, attribute = null] = bind(
    'sort',
    ['reverse', 'case_sensitive', 'attribute'],
    args,
    named,
  );
  const names = isString(attribute) ? textOf(attribute).split(',') : [attribute];
  const keys = names.map((name) => caseKey(getter(engine, name), caseSensitive));
  const key = (item: Value): Value => keys.map((get) => get(item));
  return sorted([...iterate(value)], key, isTrue(reverse ?? false));
};

const groupby: Filter = (value, args, named, engine) => {
  const [attribute = null, missing, caseSensitive] = bind(
    'groupby',
    ['attribute', 'default', 'case_sensitive'],
    args,
    named,
  );
  const get = getter(engine, attribute, missing);
  const key = caseKey(get, caseSensitive);
  const groups: [Value, Value[]][] = [];
  for (const item of sorted([...iterate(value)], key, false)) {
    const last = groups.at(-1);
    if (last && equals(last[0], key(item))) last[1].push(item);
    else groups.push([key(item), [item]]);
  }
  return groups.map(([, items]) => new Group(get(items[0]!), items));
};

/** A group has names for its two parts. */
class Group extends Tuple {
  constructor(
    readonly grouper: Value,
    readonly list: Value[],
  ) {
    super([grouper, list]);
  }
}

export const groupPart = (value: Value, name: string): Value | undefined =>
  value instanceof Group && (name === 'grouper' || name === 'list') ? value[name] : undefined;

const dictsort: Filter = (value, args, named) => {
  const [caseSensitive, by = 'key', reverse] = bind(
    'dictsort',
    ['case_sensitive', 'by', 'reverse'],
    args,
    named,
  );
  if (by !== 'key' && by !== 'value') {
    throw new JinjaError('FilterArgumentError: You can only sort by either "key" or "value"');
  }
  const at = by === 'key' ? 0 : 1;
  const key = caseKey((entry) => (entry as Tuple).items[at]!, caseSensitive);
  return sorted(
    dictOf(value, 'dictsort')
      .items()
      .map((entry) => new Tuple(entry)),
    key,
    isTrue(reverse ?? false),
  );
};

function dictOf(value: Value, what: string): Dict {
  if (value instanceof Undefined) value.fail();
  if (value instanceof Dict) return value;
  throw new JinjaError(`TypeError: ${what}: a value of type '${typeOf(value)}'; expected a dict`);
}

const tojson: Filter = (value, args, named) => {
  const [ensureAscii = false, indention = null, separators = null, sortKeys = false] = bind(
    'tojson',
    ['ensure_ascii', 'indent', 'separators', 'sort_keys'],
    args,
    named,
  );
  const given = itemsOf(separators)?.map(str);
  const indents =
    indention === null
      ? undefined
      : isString(indention)
        ? textOf(indention)
        : ' '.repeat(Math.min(100, Math.max(0, wholeNumber(indention, 'indent'))));
  return jsonText(value, {
    ensureAscii: isTrue(ensureAscii),
    indent: indents,
    separators: given ? [given[0]!, given[1]!] : [indents === undefined ? ', ' : ',', ': '],
    sortKeys: isTrue(sortKeys),
  });
};

function quotedUrl(value: Value, forQuery: boolean): string {
  const plain = forQuery ? /[A-Za-z0-9_.~-]/ : /[A-Za-z0-9_.~/-]/;
  let out = '';
  for (const byte of new TextEncoder().encode(str(value))) {
    const char = String.fromCharCode(byte);
    out += plain.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return forQuery ? out.replaceAll('%20', '+') : out;
}

const urlencode: Filter = (value) => {
  const items =
    value instanceof Dict ? value.items() : itemsOf(value)?.map((pair) => [...iterate(pair)]);
  if (!items) return quotedUrl(value, false);
  return items.map(([key, item]) => `${quotedUrl(key!, true)}=${quotedUrl(item!, true)}`).join('&');
};

const filesizeformat: Filter = (value, args, named) => {
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

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  '#34': '"',
  apos: "'",
  nbsp: '\xa0',
};

/** A text without what stands between two signs, and them. */
function without(text: string, open: string, close: string): string {
  let out = '';
  let at = 0;
  for (;;) {
    const start = text.indexOf(open, at);
    const end = start < 0 ? -1 : text.indexOf(close, start);
    if (end < 0) return out + text.slice(at);
    out += text.slice(at, start);
    at = end + close.length;
  }
}

function striptags(value: Value): string {
  const bare = without(without(str(value), '<!--', '-->'), '<', '>');
  const words = wordsOf(bare).join(' ');
  return words.replace(/&([#\w]+);/g, (whole, name: string) => {
    const code = /^#(?:x([\da-f]+)|(\d+))$/i.exec(name);
    if (code) return String.fromCodePoint(Number.parseInt(code[1] ?? code[2]!, code[1] ? 16 : 10));
    if (entities[name] !== undefined) return entities[name];
    throw new JinjaError(`striptags: the entity '${whole}' is not known here`);
  });
}

function* batches(values: Iterable<Value>, size: number, fill: Value): Iterable<Value> {
  let batch: Value[] = [];
  for (const value of values) {
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
    batch.push(value);
  }
  if (batch.length === 0) return;
  while (fill !== null && batch.length < Math.min(size, 1e6)) batch.push(fill);
  yield batch;
}

function* slices(values: readonly Value[], count: number, fill: Value): Iterable<Value> {
  const each = Math.floor(values.length / count);
  const longer = values.length % count;
  let at = 0;
  for (let i = 0; i < count; i++) {
    const part = values.slice(at, at + each + (i < longer ? 1 : 0));
    at += part.length;
    if (fill !== null && i >= longer) part.push(fill);
    yield part;
  }
}

const ofText =
  (change: (text: string) => Value): Filter =>
  (value) =>
    change(str(value));

/** Not possible here, with what it would take. */
const refused =
  (name: string, why: string): Filter =>
  () => {
    throw new JinjaError(`the filter '${name}' cannot be used here: ${why}`);
  };

const fallback: Filter = (value, args, named) => {
  const [missing = '', boolean] = bind('default', ['default_value', 'boolean'], args, named);
  return value instanceof Undefined || (isTrue(boolean ?? false) && !isTrue(value))
    ? missing
    : value;
};
const length: Filter = (value) => BigInt(lengthOf(value));
const escaped: Filter = (value) => escapeHtml(value);

/** Jinja's filters by their names, with `tojson` as transformers has it. */
export const filters: Readonly<Record<string, Filter>> = {
  abs: (value) => {
    if (value instanceof Undefined) value.fail();
    if (typeof value === 'bigint' || typeof value === 'boolean')
      return BigInt(value) < 0n ? -BigInt(value) : BigInt(value);
    return Math.abs(numberOf(value, 'the value of abs'));
  },
  attr: (value, args, _, engine) => {
    const name = str(args[0] ?? null);
    return value instanceof Dict &&
      value.has(name) &&
      !['items', 'keys', 'values', 'get', 'copy'].includes(name)
      ? new Undefined(`UndefinedError: 'dict object' has no attribute ${repr(name)}`)
      : engine.attribute(value, name);
  },
  batch: (value, args, named) => {
    const [size = null, fill = null] = bind('batch', ['linecount', 'fill_with'], args, named);
    return new Generator(batches(iterate(value), wholeNumber(size, 'linecount'), fill));
  },
  capitalize: ofText(capitalized),
  center: (value, args, named, engine) => {
    const [width = 80n] = bind('center', ['width'], args, named);
    const method = engine.attribute(str(value), 'center');
    return isHost(method) ? method.call!([width], new Map()) : null;
  },
  count: length,
  d: fallback,
  default: fallback,
  dictsort,
  e: escaped,
  escape: escaped,
  filesizeformat,
  first: (value) => {
    for (const item of iterate(value)) return item;
    return new Undefined('UndefinedError: No first item, sequence was empty.');
  },
  float,
  forceescape: (value) => escapeHtml(str(value)),
  format: (value, args, named) => {
    if (args.length > 0 && named.size > 0) {
      throw new JinjaError(
        "FilterArgumentError: can't handle positional and keyword arguments at the same time",
      );
    }
    return formatPercent(str(value), named.size > 0 ? new Dict(named) : new Tuple(args));
  },
  groupby,
  indent,
  int,
  items: (value) => {
    const items = value instanceof Undefined ? [] : dictOf(value, 'items').items();
    return new Generator(items.map((entry) => new Tuple(entry)));
  },
  join: (value, args, named, engine) => {
    const [separator = '', attribute] = bind('join', ['d', 'attribute'], args, named);
    const get =
      attribute === undefined || attribute === null
        ? str
        : (item: Value) => str(getter(engine, attribute)(item));
    return Array.from(iterate(value), get).join(str(separator));
  },
  last: (value) => {
    const all = [...reversible(value)];
    return all.length > 0
      ? all.at(-1)!
      : new Undefined('UndefinedError: No last item, sequence was empty.');
  },
  length,
  list: (value) => [...iterate(value)],
  lower: ofText((text) => text.toLowerCase()),
  map,
  max: extreme('max', -1),
  min: extreme('min', 1),
  pprint: (value) => {
    const line = repr(inOrder(value));
    if (charsOf(line).length <= 80) return line;
    throw new JinjaError(
      "the filter 'pprint' cannot be used here on values longer than a line of 80 characters",
    );
  },
  random: (value) => {
    const all = [...iterate(value)];
    return (
      all[Math.floor(Math.random() * all.length)] ??
      new Undefined('UndefinedError: No random item, sequence was empty.')
    );
  },
  reject: selecting(false, false),
  rejectattr: selecting(false, true),
  replace: (value, args, named) => {
    const [from = null, to = null, count = null] = bind(
      'replace',
      ['old', 'new', 'count'],
      args,
      named,
    );
    return replaced(
      str(value),
      str(from),
      str(to),
      count === null ? -1 : wholeNumber(count, 'count'),
    );
  },
  reverse: (value) => {
    if (isString(value)) return charsOf(textOf(value)).reverse().join('');
    return new Generator([...iterate(value)].reverse());
  },
  round,
  safe: (value) => (value instanceof Markup ? value : new Markup(str(value))),
  select: selecting(true, false),
  selectattr: selecting(true, true),
  slice: (value, args, named) => {
    const [count = null, fill = null] = bind('slice', ['slices', 'fill_with'], args, named);
    return new Generator(
      slices([...iterate(value)], Math.min(wholeNumber(count, 'slices'), 100_000), fill),
    );
  },
  sort,
  string: (value) => (isString(value) ? value : str(value)),
  striptags,
  sum: (value, args, named, engine) => {
    const [attribute = null, start = 0n] = bind('sum', ['attribute', 'start'], args, named);
    const get = getter(engine, attribute);
    let total = start;
    for (const item of iterate(value)) {
      const part = get(item);
      if (isString(part) || isString(total)) {
        throw new JinjaError(
          `TypeError: unsupported operand type(s) for +: '${typeOf(total)}' and '${typeOf(part)}'`,
        );
      }
      total = binary('+', total, part);
    }
    return total;
  },
  title: ofText((text) =>
    text
      .split(/([-\s({[<]+)/)
      .map((word) => capitalized(word))
      .join(''),
  ),
  tojson,
  trim: (value, args, named) =>
    stripped(str(value), bind('trim', ['chars'], args, named)[0] ?? null),
  truncate,
  unique: (value, args, named, engine) => {
    const [caseSensitive, attribute = null] = bind(
      'unique',
      ['case_sensitive', 'attribute'],
      args,
      named,
    );
    const key = caseKey(getter(engine, attribute), caseSensitive);
    return new Generator(
      (function* () {
        const seen = new Set<unknown>();
        for (const item of iterate(value)) {
          const hash = hashOf(key(item));
          if (!seen.has(hash)) yield item;
          seen.add(hash);
        }
      })(),
    );
  },
  upper: ofText((text) => text.toUpperCase()),
  urlencode,
  urlize: refused('urlize', 'it writes HTML'),
  wordcount: ofText((text) => BigInt(text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0)),
  wordwrap: refused('wordwrap', "it takes Python's textwrap"),
  xmlattr: (value, args, named) => {
    const [autospace = true] = bind('xmlattr', ['autospace'], args, named);
    const parts = dictOf(value, 'xmlattr')
      .items()
      .flatMap(([key, item]) => {
        if (item === null || item instanceof Undefined) return [];
        if (/[\s/>=]/.test(str(key))) {
          throw new JinjaError(`ValueError: Invalid character in attribute name: ${repr(key)}`);
        }
        return [`${escapeHtml(key).text}="${escapeHtml(item).text}"`];
      });
    return (isTrue(autospace) && parts.length > 0 ? ' ' : '') + parts.join(' ');
  },
};

/** What can be gone through backwards. */
function reversible(value: Value): Iterable<Value> {
  if (isHost(value) && !(value instanceof Range) && !value.size) {
    throw new JinjaError(`TypeError: '${typeOf(value)}' object is not reversible`);
  }
  return iterate(value);
}

/** A value whose dicts are in the order of their keys, as `pprint` shows them. */
function inOrder(value: Value): Value {
  if (Array.isArray(value)) return value.map(inOrder);
  if (value instanceof Tuple) return new Tuple(value.items.map(inOrder));
  if (!(value instanceof Dict)) return value;
  const entries = value.items().map(([key, item]): Value => new Tuple([key, inOrder(item)]));
  const key = (entry: Value) => (entry as Tuple).items[0]!;
  return new Dict(
    sorted(entries, key, false).map((entry) => (entry as Tuple).items as [Value, Value]),
  );
}
