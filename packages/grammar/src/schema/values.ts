import { InputError, quoted } from '@headwise/core';
import {
  checkOrder,
  countOf,
  isObject,
  Patterns,
  type SchemaObject,
  type TypeName,
  typed,
  types,
  typesIn,
} from './keywords.js';
import type { Bound } from './numbers.js';
import type { StringBounds } from './strings.js';

/** The types that a schema has values of: those it names, or those that its keywords are for, or all. */
export function typesOf(schema: SchemaObject, what: string): readonly TypeName[] {
  const keywords = Object.keys(schema).filter((name) => name in typed);
  if (schema.type === undefined) {
    if (keywords.length === 0) return types.filter((type) => type !== 'integer');
    const meant = typed[keywords[0]!]!;
    const other = keywords.find((name) => typed[name]![0] !== meant[0]);
    if (other === undefined) return [meant[0]!];
    throw new InputError(`${what}: ${keywords[0]} and ${other} without a type; expected one`);
  }
  const named = typesIn(schema.type, what);
  for (const name of keywords) {
    if (typed[name]!.some((type) => named.includes(type))) continue;
    throw new InputError(
      `${what}: ${name} is for ${typed[name]![0]}s, but type is ${quoted(schema.type)}`,
    );
  }
  return named;
}

/** Schemas of the first items and of the others, each with the keyword that gives it. */
export function itemsOf(
  schema: SchemaObject,
  what: string,
): [first: [unknown[], string], others: [unknown, string]] {
  const { prefixItems, items = true, additionalItems } = schema;
  // Until draft 2019-09, items was the list and additionalItems the schema of the others.
  if (Array.isArray(items) && prefixItems === undefined) {
    return [
      [items, 'items'],
      [additionalItems ?? true, 'additionalItems'],
    ];
  }
  if (Array.isArray(items) || additionalItems !== undefined) {
    throw new InputError(
      `${what}: items, prefixItems and additionalItems do not fit together; expected prefixItems with items as one schema, or items as a list with additionalItems`,
    );
  }
  if (prefixItems !== undefined && !Array.isArray(prefixItems)) {
    throw new InputError(
      `${what}: prefixItems is ${quoted(prefixItems)}; expected a list of schemas`,
    );
  }
  return [
    [prefixItems ?? [], 'prefixItems'],
    [items, 'items'],
  ];
}

export function stringBoundsOf(schema: SchemaObject, what: string): StringBounds {
  const [minLength, maxLength] = countsOf(schema, 'minLength', 'maxLength', what);
  const text = (name: string, value: unknown) => {
    if (typeof value === 'string') return value;
    throw new InputError(`${what}: ${name} is ${quoted(value)}; expected a text`);
  };
  return {
    minLength,
    maxLength,
    patterns: Patterns.of(schema.pattern).all.map((value) => text('pattern', value)),
    format: schema.format === undefined ? undefined : text('format', schema.format),
  };
}

/** @throws InputError where a schema has other keywords than one that stands alone, and some */
export function alone(
  name: string,
  schema: SchemaObject,
  others: readonly string[],
  what: string,
): void {
  const other = Object.keys(schema).find((one) => one !== name && !others.includes(one));
  if (other !== undefined) {
    throw new InputError(
      `${what}: ${other} beside ${name} is not supported; expected ${name} alone`,
    );
  }
}

export function branchesOf(branches: unknown, name: string, what: string): readonly unknown[] {
  if (Array.isArray(branches) && branches.length > 0) return branches;
  throw new InputError(`${what}: ${name} is ${quoted(branches)}; expected a list of schemas`);
}

export function countsOf(
  schema: SchemaObject,
  min: string,
  max: string,
  what: string,
): [number, number] {
  const least = countOf(schema, min, 0, what);
  const most = countOf(schema, max, Number.POSITIVE_INFINITY, what);
  checkOrder(least, most, `${min} and ${max}`, what);
  return [least, most];
}

/** The stricter bound of each end. */
export function boundsOf(
  schema: SchemaObject,
  what: string,
): [Bound | undefined, Bound | undefined] {
  const boundOf = (name: string, strict: boolean): Bound | undefined => {
    const value = schema[name];
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isFinite(value)) return { value, strict };
    throw new InputError(`${what}: ${name} is ${quoted(value)}; expected a number`);
  };
  const stricter = (a: Bound | undefined, b: Bound | undefined, sign: number) =>
    !a || (b && sign * (b.value - a.value) >= 0) ? b : a;
  const low = stricter(boundOf('minimum', false), boundOf('exclusiveMinimum', true), 1);
  const high = stricter(boundOf('maximum', false), boundOf('exclusiveMaximum', true), -1);
  const isEmpty =
    low &&
    high &&
    (low.value > high.value || (low.value === high.value && (low.strict || high.strict)));
  if (!isEmpty) return [low, high];
  throw new InputError(
    `${what}: the bounds are ${low.value} and ${high.value}; expected a number between them`,
  );
}

export function isOfType(value: unknown, type: TypeName): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

/** @throws InputError for a pointer to another document, and one to nothing */
export function resolved(document: unknown, pointer: string, what: string): unknown {
  if (pointer !== '#' && !pointer.startsWith('#/')) {
    throw new InputError(
      `${what}: $ref is ${quoted(pointer)}; expected a place in the schema, such as #/$defs/name`,
    );
  }
  const keys = pointer.split('/').slice(1);
  return keys.reduce((at: unknown, key) => {
    const name = decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~');
    if ((isObject(at) || Array.isArray(at)) && Object.hasOwn(at, name)) {
      return (at as Record<string, unknown>)[name];
    }
    throw new InputError(`${what}: $ref is ${quoted(pointer)}, but ${quoted(name)} is not there`);
  }, document);
}
