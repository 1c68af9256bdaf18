import { methodOf } from './methods.js';
import { repr } from './print.js';
import { groupPart } from './sequence-filters.js';
import {
  charsOf,
  Dict,
  isHost,
  isString,
  itemsOf,
  Range,
  textOf,
  typeOf,
  Undefined,
  type Value,
} from './values.js';

/** `value.name`: an attribute or method, else an item. */
export function attributeOf(value: Value, name: string): Value {
  if (value instanceof Undefined) value.fail();
  const found = named(value, name);
  if (found !== undefined) return found;
  const item = at(value, name);
  return item === undefined ? absent(value, name) : item;
}

/** An attribute or a method; undefined if there is none, while null is a value. */
function named(value: Value, name: string): Value | undefined {
  const own = isHost(value) ? value.attribute?.(name) : groupPart(value, name);
  return own === undefined ? methodOf(value, name, member) : own;
}

/** `value[key]`: an item, else an attribute or method. */
export function itemOf(value: Value, key: Value): Value {
  if (value instanceof Undefined) value.fail();
  const found = at(value, key);
  if (found !== undefined) return found;
  if (!isString(key)) return absent(value, key);
  const own = named(value, textOf(key));
  return own === undefined ? absent(value, key) : own;
}

/** How the methods of texts read `{0.name[1]}`: an item between brackets, else an attribute. */
function member(value: Value, name: string, isItem: boolean): Value {
  if (!isItem) return attributeOf(value, name);
  return itemOf(value, /^\d+$/.test(name) ? BigInt(name) : name);
}

/** `value[key]`; undefined if there is none. */
function at(value: Value, key: Value): Value | undefined {
  if (value instanceof Dict) {
    if (Array.isArray(key) || key instanceof Dict) return undefined;
    return value.has(key) ? value.get(key)! : undefined;
  }
  if (typeof key !== 'bigint' && typeof key !== 'boolean') return undefined;
  const items = isString(value)
    ? charsOf(textOf(value))
    : value instanceof Range
      ? [...value.iterate()]
      : itemsOf(value);
  if (!items) return undefined;
  const place = Number(key);
  return items[place < 0 ? place + items.length : place];
}

/** The undefined value that Jinja gives for a missing attribute or item. */
function absent(value: Value, key: Value): Undefined {
  if (value === null) return new Undefined(`UndefinedError: 'None' has no attribute ${repr(key)}`);
  const what = `${typeOf(value)} object`;
  return new Undefined(
    isString(key)
      ? `UndefinedError: '${what}' has no attribute ${repr(key)}`
      : `UndefinedError: ${what} has no element ${repr(key)}`,
  );
}
