import { InputError, quoted } from '@headwise/core';

/** A JSON schema other than true and false. */
export type SchemaObject = Readonly<Record<string, unknown>>;

export const types = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'] as const;
export type TypeName = (typeof types)[number];

/** Keywords that restrict values of one type. */
export const typed: Readonly<Record<string, readonly TypeName[]>> = {
  properties: ['object'],
  required: ['object'],
  additionalProperties: ['object'],
  propertyNames: ['object'],
  items: ['array'],
  prefixItems: ['array'],
  additionalItems: ['array'],
  minItems: ['array'],
  maxItems: ['array'],
  minLength: ['string'],
  maxLength: ['string'],
  pattern: ['string'],
  format: ['string'],
  minimum: ['number', 'integer'],
  maximum: ['number', 'integer'],
  exclusiveMinimum: ['number', 'integer'],
  exclusiveMaximum: ['number', 'integer'],
};

/** Keywords that say which values there are. */
const general = ['type', 'enum', 'const', 'anyOf', 'oneOf', 'allOf', '$ref'];

/** Keywords that restrict nothing. */
const annotations = new Set([
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'contentEncoding',
  'contentMediaType',
]);

/**
 * The keywords of a schema that restrict values; each one is enforced.
 *
 * @throws InputError naming the first keyword that is not supported
 */
export function assertionsOf(schema: SchemaObject, what: string): SchemaObject {
  const kept = Object.entries(schema).filter(
    ([name, value]) => !annotations.has(name) && value !== undefined,
  );
  for (const [name] of kept) {
    if (name in typed || general.includes(name)) continue;
    throw new InputError(
      `${what}: keyword ${quoted(name)} is not supported; expected ${[...general, ...Object.keys(typed)].join(', ')}`,
    );
  }
  return Object.fromEntries(kept);
}

/** @throws InputError unless it is a schema */
export function checkedSchema(schema: unknown, what: string): SchemaObject | boolean {
  if (typeof schema === 'boolean') return schema;
  if (isObject(schema)) return schema;
  throw new InputError(`${what}: ${quoted(schema)}; expected a schema: an object, true or false`);
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws InputError unless it is a count, or missing */
export function countOf(schema: SchemaObject, name: string, missing: number, what: string): number {
  const value = schema[name] ?? missing;
  if (
    value === Number.POSITIVE_INFINITY ||
    (Number.isSafeInteger(value) && (value as number) >= 0)
  ) {
    return value as number;
  }
  throw new InputError(
    `${what}: ${name} is ${quoted(value)}; expected a whole number of at least 0`,
  );
}

/** @throws InputError where the least is above the most */
export function checkOrder(least: number, most: number, names: string, what: string): void {
  if (least <= most) return;
  throw new InputError(
    `${what}: ${names} are ${least} and ${most}; expected no more than the second`,
  );
}

/**
 * Both of two schemas as one.
 *
 * @throws InputError naming a keyword that both have and that cannot be joined
 */
export function merged(a: SchemaObject, b: SchemaObject, what: string): SchemaObject {
  const joined: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const own = joined[name];
    joined[name] = own === undefined ? value : joinedValue(name, own, value, what);
  }
  const shapes = ['properties', 'additionalProperties'];
  const [hasA, hasB] = [a, b].map((one) => shapes.some((name) => one[name] !== undefined));
  const closed = [a, b].some((one) => one.additionalProperties !== undefined);
  if (hasA && hasB && closed) {
    throw new InputError(
      `${what}: additionalProperties of one of two joined schemas; expected properties and additionalProperties in one place`,
    );
  }
  return joined;
}

/** The patterns of joined schemas; a text matches all of them. */
export class Patterns {
  readonly all: readonly unknown[];

  constructor(all: readonly unknown[]) {
    this.all = all;
  }

  static of(value: unknown): Patterns {
    if (value instanceof Patterns) return value;
    return new Patterns(value === undefined ? [] : [value]);
  }
}

function joinedValue(name: string, a: unknown, b: unknown, what: string): unknown {
  if (name === 'pattern') return new Patterns([...Patterns.of(a).all, ...Patterns.of(b).all]);
  if (JSON.stringify(a) === JSON.stringify(b)) return a;
  if (name === 'required' && Array.isArray(a) && Array.isArray(b))
    return [...new Set([...a, ...b])];
  if (name === 'properties' && isObject(a) && isObject(b)) {
    const twice = Object.keys(b).find((key) => Object.hasOwn(a, key));
    if (twice === undefined) return { ...a, ...b };
    throw new InputError(`${what}: property ${quoted(twice)} in two joined schemas; expected one`);
  }
  if (name === 'type') {
    const both = typesIn(a, what).filter((type) => typesIn(b, what).includes(type));
    if (both.length > 0) return both;
  }
  if (typeof a === 'number' && typeof b === 'number') {
    return /^(?:min|exclusiveMin)/.test(name) ? Math.max(a, b) : Math.min(a, b);
  }
  throw new InputError(`${what}: ${name} in two joined schemas; expected one`);
}

/** The types that `type` names; a number may be an integer. @throws InputError for another name */
export function typesIn(type: unknown, what: string): TypeName[] {
  const names = Array.isArray(type) ? type : [type];
  for (const name of names) {
    if (types.includes(name)) continue;
    throw new InputError(`${what}: type is ${quoted(name)}; expected ${types.join(', ')}`);
  }
  if (names.length === 0) throw new InputError(`${what}: type is empty; expected a type`);
  return names;
}
