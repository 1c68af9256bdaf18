import { bind, numberOf, wholeNumber } from './arguments.js';
import { dictOf, type Filter, getter } from './filter.js';
import { formatPercent } from './format.js';
import { capitalized, replaced, stripped } from './methods.js';
import { filesizeformat, float, int, round } from './number-filters.js';
import { escapeHtml, repr, str } from './print.js';
import {
  batches,
  dictsort,
  extreme,
  groupby,
  inOrder,
  map,
  reversible,
  selecting,
  slices,
  sort,
  sum,
  unique,
} from './sequence-filters.js';
import { indent, striptags, tojson, truncate, urlencode, xmlattr } from './text-filters.js';
import {
  charsOf,
  Dict,
  Generator,
  isHost,
  isString,
  isTrue,
  iterate,
  JinjaError,
  lengthOf,
  Markup,
  Tuple,
  textOf,
  Undefined,
  type Value,
} from './values.js';

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
  sum,
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
  unique,
  upper: ofText((text) => text.toUpperCase()),
  urlencode,
  urlize: refused('urlize', 'it writes HTML'),
  wordcount: ofText((text) => BigInt(text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0)),
  wordwrap: refused('wordwrap', "it takes Python's textwrap"),
  xmlattr,
};
