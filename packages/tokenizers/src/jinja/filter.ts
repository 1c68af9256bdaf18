import type { Named, Positional } from './arguments.js';
import { ignoringCase } from './operators.js';
import {
  Dict,
  isString,
  isTrue,
  JinjaError,
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
export function getter(engine: Engine, attribute: Value, missing?: Value): (value: Value) => Value {
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

export const caseKey =
  (get: (value: Value) => Value, caseSensitive: Value | undefined) =>
  (value: Value): Value =>
    isTrue(caseSensitive ?? false) ? get(value) : ignoringCase(get(value));

export function dictOf(value: Value, what: string): Dict {
  if (value instanceof Undefined) value.fail();
  if (value instanceof Dict) return value;
  throw new JinjaError(`TypeError: ${what}: a value of type '${typeOf(value)}'; expected a dict`);
}
