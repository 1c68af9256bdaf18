import { bind, wholeNumber } from './arguments.js';
import { dictOf, type Filter } from './filter.js';
import { splitLines, wordsOf } from './methods.js';
import { escapeHtml, jsonText, repr, str } from './print.js';
import {
  charsOf,
  Dict,
  isString,
  isTrue,
  itemsOf,
  iterate,
  JinjaError,
  Markup,
  textOf,
  typeOf,
  Undefined,
  type Value,
} from './values.js';

export const indent: Filter = (value, args, named) => {
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

export const truncate: Filter = (value, args, named) => {
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

export const tojson: Filter = (value, args, named) => {
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

export const urlencode: Filter = (value) => {
  const items =
    value instanceof Dict ? value.items() : itemsOf(value)?.map((pair) => [...iterate(pair)]);
  if (!items) return quotedUrl(value, false);
  return items.map(([key, item]) => `${quotedUrl(key!, true)}=${quotedUrl(item!, true)}`).join('&');
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

export function striptags(value: Value): string {
  const bare = without(without(str(value), '<!--', '-->'), '<', '>');
  const words = wordsOf(bare).join(' ');
  return words.replace(/&([#\w]+);/g, (whole, name: string) => {
    const code = /^#(?:x([\da-f]+)|(\d+))$/i.exec(name);
    if (code) return String.fromCodePoint(Number.parseInt(code[1] ?? code[2]!, code[1] ? 16 : 10));
    if (entities[name] !== undefined) return entities[name];
    throw new JinjaError(`striptags: the entity '${whole}' is not known here`);
  });
}

export const xmlattr: Filter = (value, args, named) => {
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
};
