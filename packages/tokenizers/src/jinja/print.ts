import {
  Dict,
  isString,
  itemsOf,
  JinjaError,
  Markup,
  Tuple,
  textOf,
  typeOf,
  Undefined,
  type Value,
} from './values.js';

/** `str(value)`. */
export function str(value: Value): string {
  if (isString(value)) return textOf(value);
  return value instanceof Undefined ? '' : repr(value);
}

/** `repr(value)`. */
export function repr(value: Value): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'bigint') return wholeText(value);
  if (typeof value === 'number') return floatText(value);
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Markup) return `Markup(${quoted(value.text)})`;
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  if (value instanceof Tuple) {
    return `(${value.items.map(repr).join(', ')}${value.items.length === 1 ? ',' : ''})`;
  }
  if (value instanceof Dict) {
    return `{${value
      .items()
      .map(([key, item]) => `${repr(key)}: ${repr(item)}`)
      .join(', ')}}`;
  }
  if (value instanceof Undefined) return 'Undefined';
  if (value.print) return value.print();
  throw new JinjaError(`a ${value.type} cannot be printed: Python prints its address`);
}

const mostDigits = 4300;
const tooLong = 10n ** BigInt(mostDigits);

/** An int as Python prints it; Python refuses ints of more than 4,300 digits. */
function wholeText(value: bigint): string {
  if (value < tooLong && value > -tooLong) return String(value);
  throw new JinjaError(
    `ValueError: Exceeds the limit (${mostDigits} digits) for integer string conversion`,
  );
}

/** A float as Python prints it: the shortest digits that give it back, with an exponent from 1e16 on. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [digits, power] = value.toExponential().split('e') as [string, string];
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const sign = exponent < 0 ? '-' : '+';
    return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const text = value.toString();
  const plain = text.includes('e')
    ? value.toFixed(digits.replace(/[-.]/g, '').length - 1 - exponent)
    : text;
  return plain.includes('.') ? plain : `${plain}.0`;
}

const named: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
};

/** A string as Python writes it in code. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text.replace(/[\p{C}\p{Z}\\'"]/gu, (char) => {
    if (char === ' ' || ((char === "'" || char === '"') && char !== quote)) return char;
    if (char === quote) return `\\${char}`;
    const known = named[char];
    if (known) return known;
    const code = char.codePointAt(0)!;
    const hex = code.toString(16);
    if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
  });
  return `${quote}${inner}${quote}`;
}

export interface JsonOptions {
  ensureAscii: boolean;
  indent: string | undefined;
  separators: readonly [item: string, key: string];
  sortKeys: boolean;
}

/** `json.dumps(value)`. */
export function jsonText(value: Value, options: JsonOptions, depth = 1): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return jsonFloat(value);
  if (isString(value)) return jsonString(textOf(value), options.ensureAscii);
  const { indent, separators, sortKeys } = options;
  const lines = (parts: string[], open: string, close: string) => {
    if (parts.length === 0) return open + close;
    if (indent === undefined) return open + parts.join(separators[0]) + close;
    const start = `\n${indent.repeat(depth)}`;
    const end = `\n${indent.repeat(depth - 1)}`;
    return open + start + parts.join(separators[0] + start) + end + close;
  };
  const items = itemsOf(value);
  if (items)
    return lines(
      items.map((item) => jsonText(item, options, depth + 1)),
      '[',
      ']',
    );
  if (value instanceof Dict) {
    const entries = value.items();
    if (sortKeys) {
      const texts = entries.map(([key]) => key);
      if (!texts.every(isString)) {
        throw new JinjaError('tojson: sort_keys is not supported with keys other than strings');
      }
      entries.sort(([a], [b]) => compareText(str(a), str(b)));
    }
    const parts = entries.map(([key, item]) => {
      const name = jsonString(jsonKey(key), options.ensureAscii);
      return name + separators[1] + jsonText(item, options, depth + 1);
    });
    return lines(parts, '{', '}');
  }
  throw new JinjaError(`TypeError: Object of type ${typeOf(value)} is not JSON serializable`);
}

function jsonKey(key: Value): string {
  if (isString(key)) return textOf(key);
  if (key === null) return 'null';
  if (typeof key === 'boolean' || typeof key === 'bigint') return String(key);
  if (typeof key === 'number') return jsonFloat(key);
  throw new JinjaError(`TypeError: keys must be str, int, float, bool or None, not ${typeOf(key)}`);
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return floatText(value);
}

const jsonEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function jsonString(text: string, ensureAscii: boolean): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them.
  const escaped = ensureAscii ? /["\\]|[^ -~]/g : /["\\\u0000-\u001f]/g;
  const escaping = (unit: string) =>
    jsonEscapes[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `"${text.replace(escaped, escaping)}"`;
}

/** Compares texts by their code points. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Text with HTML's signs escaped, unless it is HTML already. */
export function escapeHtml(value: Value): Markup {
  if (value instanceof Markup) return value;
  const signs: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    "'": '&#39;',
    '"': '&#34;',
  };
  return new Markup(str(value).replace(/[&<>'"]/g, (sign) => signs[sign]!));
}
