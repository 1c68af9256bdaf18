import { formatPercent } from './format.js';
import { compareText, escapeHtml } from './print.js';
import {
  charsOf,
  Dict,
  isHost,
  isNumber,
  isString,
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

/** The longest text or list that an operator makes, and the longest whole number, in bits. */
const maxSize = 2 ** 24;
const maxBits = 2 ** 19;
const largest = 1n << BigInt(maxBits);

/** Whether two values are equal in Python. */
export function equals(a: Value, b: Value): boolean {
  if (isNumber(a) && isNumber(b)) {
    // biome-ignore lint/suspicious/noDoubleEquals: an int and a float are compared by value.
    return Number.isNaN(a) ? false : wholeOf(a) == wholeOf(b);
  }
  if (isString(a) && isString(b)) return textOf(a) === textOf(b);
  if (a instanceof Undefined) return b instanceof Undefined;
  if (a instanceof Dict && b instanceof Dict) {
    return (
      a.size === b.size &&
      a.items().every(([key, value]) => b.has(key) && equals(value, b.get(key)!))
    );
  }
  if (a instanceof Range && b instanceof Range) {
    return equals([...a.iterate()], [...b.iterate()]);
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [itemsOf(a), itemsOf(b)];
  if (left && right) {
    return left.length === right.length && left.every((item, i) => equals(item, right[i]!));
  }
  return a === b;
}

const wholeOf = (value: bigint | number | boolean): bigint | number =>
  typeof value === 'boolean' ? BigInt(value) : value;

/** The order of two values: below 0, 0 or above 0; NaN where neither is less. */
export function order(a: Value, b: Value, sign = '<'): number {
  if (a instanceof Undefined) a.fail();
  if (b instanceof Undefined) b.fail();
  if (isNumber(a) && isNumber(b)) {
    const [left, right] = [wholeOf(a), wholeOf(b)];
    // biome-ignore lint/suspicious/noDoubleEquals: an int and a float are compared by value.
    return left < right ? -1 : left > right ? 1 : left == right ? 0 : Number.NaN;
  }
  if (isString(a) && isString(b)) return compareText(textOf(a), textOf(b));
  const [left, right] = [itemsOf(a), itemsOf(b)];
  if (left && right && Array.isArray(a) === Array.isArray(b)) {
    for (let i = 0; i < left.length && i < right.length; i++) {
      if (!equals(left[i]!, right[i]!)) return order(left[i]!, right[i]!, sign);
    }
    return left.length - right.length;
  }
  throw new JinjaError(
    `TypeError: '${sign}' not supported between instances of '${typeOf(a)}' and '${typeOf(b)}'`,
  );
}

/** `item in values`. */
export function contains(values: Value, item: Value): boolean {
  if (isString(values)) {
    if (isString(item)) return textOf(values).includes(textOf(item));
    if (item instanceof Undefined) item.fail();
    throw new JinjaError(
      `TypeError: 'in <string>' requires string as left operand, not ${typeOf(item)}`,
    );
  }
  if (values instanceof Dict) return values.has(item);
  if (isHost(values) && !values.iterate) {
    throw new JinjaError(`TypeError: argument of type '${typeOf(values)}' is not iterable`);
  }
  if (values === null || isNumber(values)) {
    throw new JinjaError(`TypeError: argument of type '${typeOf(values)}' is not iterable`);
  }
  for (const other of iterate(values)) if (other === item || equals(other, item)) return true;
  return false;
}

export function compare(sign: string, a: Value, b: Value): boolean {
  switch (sign) {
    case '==':
      return equals(a, b);
    case '!=':
      return !equals(a, b);
    case 'in':
      return contains(b, a);
    case 'not in':
      return !contains(b, a);
    case '<':
      return order(a, b, sign) < 0;
    case '<=':
      return order(a, b, sign) <= 0;
    case '>':
      return order(a, b, sign) > 0;
    default:
      return order(a, b, sign) >= 0;
  }
}

/** Arithmetic, and what else Python's signs mean for texts and lists. */
export function binary(sign: string, a: Value, b: Value): Value {
  if (a instanceof Undefined) a.fail();
  if (isString(a) && sign === '%') {
    const text = formatPercent(textOf(a), b);
    return a instanceof Markup ? new Markup(text) : text;
  }
  if (b instanceof Undefined) b.fail();
  if (isNumber(a) && isNumber(b)) {
    const [left, right] = [wholeOf(a), wholeOf(b)];
    if (typeof left === 'bigint' && typeof right === 'bigint') return whole(sign, left, right);
    return float(sign, Number(left), Number(right));
  }
  if (sign === '+') {
    if (a instanceof Markup || b instanceof Markup) {
      if (isString(a) && isString(b)) return new Markup(escapeHtml(a).text + escapeHtml(b).text);
    }
    if (typeof a === 'string' && typeof b === 'string') return a + b;
    if (Array.isArray(a) && Array.isArray(b)) return joined(a, b);
    if (a instanceof Tuple && b instanceof Tuple) return new Tuple(joined(a.items, b.items));
    if (isString(a)) {
      throw new JinjaError(`TypeError: can only concatenate str (not "${typeOf(b)}") to str`);
    }
  }
  if (sign === '*') {
    if (typeof b === 'bigint' || typeof b === 'boolean') return repeated(a, Number(b));
    if (typeof a === 'bigint' || typeof a === 'boolean') return repeated(b, Number(a));
  }
  if (sign === '|' && a instanceof Dict && b instanceof Dict) {
    return new Dict([...a.items(), ...b.items()]);
  }
  return unsupported(sign, a, b);
}

function joined(a: readonly Value[], b: readonly Value[]): Value[] {
  if (a.length + b.length <= maxSize) return a.concat(b);
  throw new JinjaError(`a list of ${a.length + b.length} items; expected at most ${maxSize}`);
}

/** A whole number, unless it is one that would take the template's time. */
function bounded(value: bigint): bigint {
  if (value < largest && value > -largest) return value;
  throw new JinjaError(`a whole number of more than ${maxBits} bits`);
}

function unsupported(sign: string, a: Value, b: Value): never {
  const name = sign === '**' ? '** or pow()' : sign;
  throw new JinjaError(
    `TypeError: unsupported operand type(s) for ${name}: '${typeOf(a)}' and '${typeOf(b)}'`,
  );
}

function repeated(value: Value, count: number): Value {
  const times = Math.max(0, count);
  const items = itemsOf(value);
  if (!items && !isString(value)) return unsupported('*', value, BigInt(count));
  if (lengthOf(value) * times > maxSize) {
    throw new JinjaError(`a value repeated ${times} times is longer than ${maxSize}`);
  }
  if (isString(value)) {
    const text = textOf(value).repeat(times);
    return value instanceof Markup ? new Markup(text) : text;
  }
  const list = Array.from({ length: times }, () => items!).flat() as Value[];
  return Array.isArray(value) ? list : new Tuple(list);
}

function whole(sign: string, a: bigint, b: bigint): Value {
  const divides = sign === '/' || sign === '//' || sign === '%';
  if (divides && b === 0n) {
    throw new JinjaError(
      sign === '/'
        ? 'ZeroDivisionError: division by zero'
        : 'ZeroDivisionError: integer division or modulo by zero',
    );
  }
  switch (sign) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return bounded(a * b);
    case '/':
      return Number(a) / Number(b);
    case '//':
      return a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n);
    case '%':
      return ((a % b) + b) % b;
    default:
      if (b < 0n) return float(sign, Number(a), Number(b));
      if (
        a.toString(16).length * 4 * Number(b) > 2 * maxBits &&
        a !== 1n &&
        a !== 0n &&
        a !== -1n
      ) {
        throw new JinjaError(`a power of more than ${maxBits} bits`);
      }
      return bounded(a ** b);
  }
}

function float(sign: string, a: number, b: number): Value {
  if ((sign === '/' || sign === '//' || sign === '%') && b === 0) {
    const what = {
      '/': 'float division by zero',
      '//': 'float floor division by zero',
      '%': 'float modulo',
    };
    throw new JinjaError(`ZeroDivisionError: ${what[sign]}`);
  }
  switch (sign) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '//':
      return Math.floor((a - modulo(a, b)) / b + 0.5);
    case '%':
      return modulo(a, b);
    default:
      if (a === 0 && b < 0) {
        throw new JinjaError('ZeroDivisionError: 0.0 cannot be raised to a negative power');
      }
      return a ** b;
  }
}

/** The remainder with the divisor's sign. */
function modulo(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

export function negative(sign: '+' | '-', value: Value): Value {
  if (value instanceof Undefined) value.fail();
  if (!isNumber(value)) {
    throw new JinjaError(`TypeError: bad operand type for unary ${sign}: '${typeOf(value)}'`);
  }
  const number = wholeOf(value);
  return sign === '+' ? number : -number;
}

/** `value[start:stop:step]`. */
export function sliced(value: Value, parts: readonly (Value | undefined)[]): Value {
  if (value instanceof Undefined) value.fail();
  const [start, stop, step = null] = parts.map((part) => {
    if (part === undefined || part === null) return null;
    if (typeof part === 'bigint' || typeof part === 'boolean') return Number(part);
    throw new JinjaError(
      'TypeError: slice indices must be integers or None or have an __index__ method',
    );
  });
  const items = isString(value)
    ? charsOf(textOf(value))
    : value instanceof Range
      ? [...value.iterate()]
      : itemsOf(value);
  if (!items) return new Undefined(`'${typeOf(value)} object' has no attribute 'slice'`);
  const by = step ?? 1;
  if (by === 0) throw new JinjaError('ValueError: slice step cannot be zero');
  const { length } = items;
  const clip = (at: number, least: number, most: number) =>
    Math.min(Math.max(at < 0 ? at + length : at, least), most);
  const [from, to] =
    by > 0
      ? [start == null ? 0 : clip(start, 0, length), stop == null ? length : clip(stop, 0, length)]
      : [
          start == null ? length - 1 : clip(start, -1, length - 1),
          stop == null ? -1 : clip(stop, -1, length - 1),
        ];
  const out: Value[] = [];
  for (let i = from; by > 0 ? i < to : i > to; i += by) out.push(items[i]!);
  if (isString(value)) return value instanceof Markup ? new Markup(out.join('')) : out.join('');
  return value instanceof Tuple ? new Tuple(out) : out;
}

/** Values in order, those that are equal as they were. */
export function sorted(
  values: readonly Value[],
  key: (value: Value) => Value,
  reverse: boolean,
): Value[] {
  const keyed = values.map((value) => ({ value, key: key(value) }));
  keyed.sort((a, b) => {
    const difference = order(a.key, b.key);
    return reverse ? -difference : difference;
  });
  return keyed.map(({ value }) => value);
}

/** Texts in lower case, as filters compare them unless told otherwise. */
export const ignoringCase = (value: Value): Value =>
  isString(value) ? textOf(value).toLowerCase() : value;
