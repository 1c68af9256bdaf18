import { binaryDigits, roundHalfEven } from './numbers.js';
import { floatText, repr, str } from './print.js';
import {
  charsOf,
  Dict,
  isNumber,
  isString,
  JinjaError,
  Tuple,
  textOf,
  typeOf,
  Undefined,
  type Value,
} from './values.js';

/** How a value is written: of `%` and of `format` alike. */
interface Spec {
  fill: string;
  align: string;
  sign: string;
  alternate: boolean;
  width: number;
  grouping: string;
  precision: number | undefined;
  type: string;
}

/** The widest field of a format. */
const maxWidth = 10_000;

/** `text % values`. */
export function formatPercent(text: string, values: Value): string {
  const isMapping = values instanceof Dict;
  const list = values instanceof Tuple ? values.items : [values];
  let used = 0;
  const next = (): Value => {
    if (used >= list.length)
      throw new JinjaError('TypeError: not enough arguments for format string');
    return list[used++]!;
  };
  const pattern = /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?[hlL]?([\s\S]?)/g;
  const out = text.replace(pattern, (whole, key, flags: string, width, precision, type: string) => {
    if (type === '%' && key === undefined) return '%';
    if (type === '') throw new JinjaError('ValueError: incomplete format');
    const star = (part: string | undefined): number | undefined =>
      part === '*' ? Number(next()) : part === undefined ? undefined : Number(part);
    const wide = star(width) ?? 0;
    const exact =
      whole.includes('.') && /\.(\*|\d*)[hlL]?[\s\S]$/.test(whole)
        ? (star(precision) ?? 0)
        : undefined;
    let value: Value;
    if (key !== undefined) {
      if (!isMapping) throw new JinjaError('TypeError: format requires a mapping');
      value = (values as Dict).get(key) ?? missingKey(values as Dict, key);
    } else value = next();
    const left = flags.includes('-') || wide < 0;
    const isNumeric = !'sra%c'.includes(type);
    const spec: Spec = {
      fill: flags.includes('0') && !left && isNumeric ? '0' : ' ',
      align: left ? '<' : flags.includes('0') && isNumeric ? '=' : '>',
      sign: flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '-',
      alternate: flags.includes('#'),
      width: Math.abs(wide),
      grouping: '',
      precision: exact,
      type,
    };
    return percentText(value, spec);
  });
  if (!isMapping && used < list.length) {
    throw new JinjaError('TypeError: not all arguments converted during string formatting');
  }
  return out;
}

function missingKey(values: Dict, key: string): Value {
  if (values.has(key)) return null;
  throw new JinjaError(`KeyError: ${repr(key)}`);
}

function percentText(value: Value, spec: Spec): string {
  const { type, precision } = spec;
  if (type === 's' || type === 'r' || type === 'a') {
    const text = type === 's' ? str(value) : type === 'r' ? repr(value) : ascii(repr(value));
    return padded(
      precision === undefined ? text : charsOf(text).slice(0, precision).join(''),
      spec,
    );
  }
  if (value instanceof Undefined) value.fail();
  if (type === 'c') {
    if (isString(value) && charsOf(textOf(value)).length === 1) return padded(textOf(value), spec);
    if (typeof value === 'bigint') return padded(String.fromCodePoint(Number(value)), spec);
    throw new JinjaError('TypeError: %c requires int or char');
  }
  if ('diu'.includes(type)) {
    if (!isNumber(value)) {
      throw new JinjaError(
        `TypeError: %${type} format: a real number is required, not ${typeOf(value)}`,
      );
    }
    const whole = typeof value === 'number' ? BigInt(Math.trunc(value)) : BigInt(value);
    return wholeText(whole, { ...spec, type: 'd' });
  }
  if ('xXo'.includes(type)) {
    if (typeof value !== 'bigint' && typeof value !== 'boolean') {
      throw new JinjaError(
        `TypeError: %${type} format: an integer is required, not ${typeOf(value)}`,
      );
    }
    return wholeText(BigInt(value), spec);
  }
  if ('eEfFgG'.includes(type)) {
    if (!isNumber(value))
      throw new JinjaError(`TypeError: must be real number, not ${typeOf(value)}`);
    return floatField(Number(value), spec);
  }
  throw new JinjaError(`ValueError: unsupported format character '${type}'`);
}

/** `format(value, spec)`. */
export function formatValue(value: Value, text: string): string {
  if (text === '') return str(value);
  const found =
    /^(?:([\s\S])?([<>=^]))?([-+ ]?)(z?)(#?)(0?)(\d*)([,_]?)(?:\.(\d+))?([bcdeEfFgGnosxX%]?)$/u.exec(
      text,
    );
  if (!found || found[4]) throw new JinjaError(`ValueError: Invalid format specifier '${text}'`);
  const [, fill, align, sign, , alternate, zero, width, grouping, precision, type] = found;
  if (value instanceof Undefined) value.fail();
  const numeric = isNumber(value) && !(typeof value === 'boolean' && (type === '' || type === 's'));
  const spec: Spec = {
    fill: fill ?? (zero ? '0' : ' '),
    align: align ?? (zero && numeric ? '=' : numeric ? '>' : '<'),
    sign: sign || '-',
    alternate: alternate === '#',
    width: Number(width || 0),
    grouping: grouping ?? '',
    precision: precision === undefined ? undefined : Number(precision),
    type: type ?? '',
  };
  if (isString(value)) {
    if (spec.type !== '' && spec.type !== 's') unknownCode(spec.type, value);
    const chars = charsOf(textOf(value));
    return padded(chars.slice(0, spec.precision ?? chars.length).join(''), spec);
  }
  if (typeof value === 'boolean' && spec.type === '') return padded(str(value), spec);
  if (typeof value === 'bigint' || typeof value === 'boolean') {
    if (spec.type === '' || 'bcdoxXn'.includes(spec.type)) return wholeText(BigInt(value), spec);
    if ('eEfFgG%'.includes(spec.type)) return floatField(Number(value), spec);
    return unknownCode(spec.type, value);
  }
  if (typeof value === 'number') {
    if (spec.type !== '' && !'eEfFgGn%'.includes(spec.type)) unknownCode(spec.type, value);
    return floatField(value, spec);
  }
  throw new JinjaError(
    `TypeError: unsupported format string passed to ${typeOf(value)}.__format__`,
  );
}

function unknownCode(code: string, value: Value): never {
  throw new JinjaError(
    `ValueError: Unknown format code '${code}' for object of type '${typeOf(value)}'`,
  );
}

/** The bases of whole numbers, and what stands before their digits with `#`. */
const radixes: Readonly<Record<string, readonly [base: number, prefix: string]>> = {
  b: [2, '0b'],
  o: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
};

function wholeText(value: bigint, spec: Spec): string {
  if (spec.type === 'c') return padded(String.fromCodePoint(Number(value)), spec);
  const [base, prefix] = radixes[spec.type] ?? ([10, ''] as const);
  let digits = (value < 0n ? -value : value).toString(base);
  if (spec.type === 'X') digits = digits.toUpperCase();
  if (spec.precision !== undefined)
    digits = digits.padStart(Math.min(spec.precision, maxWidth), '0');
  digits = grouped(digits, spec.grouping, base === 10 ? 3 : 4);
  return signed(value < 0n, (spec.alternate ? prefix : '') + digits, spec);
}

function floatField(value: number, spec: Spec): string {
  const { type, precision = 6 } = spec;
  const negative = value < 0 || Object.is(value, -0);
  const size = Math.abs(value);
  if (!Number.isFinite(value)) {
    const text = Number.isNaN(value) ? 'nan' : 'inf';
    const shown =
      type === type.toUpperCase() && type !== '' && type !== '%' ? text.toUpperCase() : text;
    return signed(negative, shown + (type === '%' ? '%' : ''), {
      ...spec,
      fill: spec.fill === '0' ? ' ' : spec.fill,
    });
  }
  let text: string;
  if (type === 'f' || type === 'F') text = fixed(size, precision);
  else if (type === '%') text = `${fixed(size * 100, precision)}%`;
  else if (type === 'e' || type === 'E') text = exponent(size, precision);
  else if (type === '' && spec.precision === undefined) text = floatText(size);
  else text = general(size, spec.precision ?? 6, type === '', spec.alternate);
  if (type === 'E' || type === 'G') text = text.toUpperCase();
  const [, whole, rest] = /^(\d+)(.*)$/.exec(text)!;
  return signed(negative, grouped(whole!, spec.grouping, 3) + rest, spec);
}

/** A number with so many digits behind the point, ties to even. */
export function fixed(value: number, digits: number): string {
  return roundHalfEven(value, Math.min(digits, maxWidth));
}

function exponent(value: number, digits: number): string {
  const [mantissa, power] = binaryDigits(value, Math.min(digits, maxWidth) + 1);
  const point = mantissa.length > 1 ? `${mantissa[0]}.${mantissa.slice(1)}` : mantissa;
  return `${point}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

function general(
  value: number,
  precision: number,
  keepsPoint: boolean,
  alternate: boolean,
): string {
  const digits = Math.max(1, precision);
  const [mantissa, power] = binaryDigits(value, digits);
  const bare = (text: string) =>
    alternate || !text.includes('.') ? text : text.replace(/0+$/, '').replace(/\.$/, '');
  if (power < -4 || power >= (keepsPoint ? digits - 1 : digits)) {
    const point = mantissa.length > 1 ? `${mantissa[0]}.${mantissa.slice(1)}` : mantissa;
    return `${bare(point)}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  const text = bare(fixed(value, Math.max(0, digits - 1 - power)));
  return keepsPoint && !text.includes('.') ? `${text}.0` : text;
}

function grouped(digits: string, sign: string, size: number): string {
  if (sign === '') return digits;
  return digits.replace(new RegExp(`\\B(?=(.{${size}})+$)`, 'g'), sign);
}

function signed(negative: boolean, text: string, spec: Spec): string {
  const sign = negative ? '-' : spec.sign === '-' ? '' : spec.sign;
  if (spec.align !== '=') return padded(sign + text, spec);
  const prefix = /^0[box]/i.exec(text)?.[0] ?? '';
  const missing = widthOf(spec) - sign.length - text.length;
  return sign + prefix + spec.fill.repeat(Math.max(0, missing)) + text.slice(prefix.length);
}

function padded(text: string, spec: Spec): string {
  const missing = widthOf(spec) - charsOf(text).length;
  if (missing <= 0) return text;
  if (spec.align === '<') return text + spec.fill.repeat(missing);
  if (spec.align !== '^') return spec.fill.repeat(missing) + text;
  const left = missing >> 1;
  return spec.fill.repeat(left) + text + spec.fill.repeat(missing - left);
}

function widthOf({ width }: Spec): number {
  if (width <= maxWidth) return width;
  throw new JinjaError(`a width of ${width} characters; expected at most ${maxWidth}`);
}

const ascii = (text: string): string =>
  text.replace(/[^ -~]/gu, (char) => {
    const code = char.codePointAt(0)!;
    const hex = code.toString(16);
    if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
  });

/** `text.format(…)`. */
export function formatBraces(
  text: string,
  args: readonly Value[],
  named: Dict,
  member: (value: Value, name: string, isItem: boolean) => Value,
  depth = 2,
): string {
  if (depth < 0) throw new JinjaError('ValueError: Max string recursion exceeded');
  let auto = 0;
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char !== '{' && char !== '}') {
      out += char;
      continue;
    }
    if (text[i + 1] === char) {
      out += char;
      i++;
      continue;
    }
    if (char === '}') throw new JinjaError("ValueError: Single '}' encountered in format string");
    let open = 1;
    let end = i + 1;
    for (; end < text.length && open > 0; end++)
      open += text[end] === '{' ? 1 : text[end] === '}' ? -1 : 0;
    if (open > 0) throw new JinjaError("ValueError: expected '}' before end of string");
    const field = text.slice(i + 1, end - 1);
    const [, path, conversion, spec = ''] = /^([^!:]*)(?:!([^:]*))?(?::([\s\S]*))?$/.exec(field)!;
    const [, first, rest] = /^([^.[]*)([\s\S]*)$/.exec(path!)!;
    let value: Value | undefined;
    if (first === '' || /^\d+$/.test(first!)) {
      value = args[first === '' ? auto++ : Number(first)];
      if (value === undefined) {
        throw new JinjaError(
          'IndexError: Replacement index out of range for positional args tuple',
        );
      }
    } else value = named.get(first!) ?? missingKey(named, first!);
    for (const [, name, key] of rest!.matchAll(/\.([^.[]+)|\[([^\]]+)\]/g)) {
      value = name !== undefined ? member(value, name, false) : member(value, key!, true);
      if (value instanceof Undefined) value.fail();
    }
    if (conversion === 's') value = str(value);
    else if (conversion === 'r') value = repr(value);
    else if (conversion === 'a') value = ascii(repr(value));
    const inner = formatBraces(spec, args.slice(auto), named, member, depth - 1);
    out += formatValue(value, inner);
    i = end - 1;
  }
  return out;
}
