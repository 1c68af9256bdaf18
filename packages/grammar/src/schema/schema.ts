import { InputError, quoted } from '@headwise/core';
import {
  choice,
  type Expression,
  empty,
  literal,
  never,
  optional,
  type Rules,
  repeat,
  rule,
  sequence,
} from '../expression.js';
import { areDisjoint } from './disjoint.js';
import {
  assertionsOf,
  checkedSchema,
  checkOrder,
  countOf,
  isObject,
  merged,
  type SchemaObject,
  type TypeName,
  typed,
  types,
  typesIn,
} from './keywords.js';
import { anyInteger, anyNumber, type Bound, integersWithin, numbersWithin } from './numbers.js';
import { anyString, stringOtherThan, stringsWithin } from './strings.js';

const space = optional(literal(' '));
const comma = sequence(literal(','), space);
const colon = sequence(literal(':'), space);
const listOf = (item: Expression): Expression =>
  optional(sequence(item, repeat(sequence(comma, item), 0)));

/** The rules of any JSON value. */
const anyValue: readonly (readonly [string, Expression])[] = [
  [
    'value',
    choice(
      ...['object', 'array', 'string', 'number'].map(rule),
      ...['true', 'false', 'null'].map(literal),
    ),
  ],
  [
    'object',
    sequence(literal('{'), listOf(sequence(rule('string'), colon, rule('value'))), literal('}')),
  ],
  ['array', sequence(literal('['), listOf(rule('value')), literal(']'))],
  ['string', anyString],
  ['number', anyNumber],
];

/** JSON values of any shape. */
export const jsonRules: Rules = new Map([['root', rule('value')], ...anyValue]);

/**
 * The JSON texts of values that are valid against a schema: on one line, with at most a space after a comma and a colon,
 * properties in the schema's order, and none that it does not name unless `additionalProperties` says so.
 *
 * @throws InputError naming the place and the keyword that is not supported or contradicts another
 */
export function parseSchema(schema: unknown): Rules {
  return new SchemaReader(schema).rules();
}

class SchemaReader {
  readonly #document: unknown;
  readonly #rules = new Map<string, Expression>(anyValue);

  constructor(document: unknown) {
    this.#document = document;
  }

  rules(): Rules {
    this.#rules.set('root', rule(this.#reference('#', '#')));
    return this.#rules;
  }

  /** The rule of a schema that a pointer names. */
  #reference(pointer: string, what: string): string {
    if (this.#rules.has(pointer)) return pointer;
    const target = resolved(this.#document, pointer, what);
    // Schemas may refer to themselves.
    this.#rules.set(pointer, never);
    this.#rules.set(pointer, this.#schema(target, pointer));
    return pointer;
  }

  #schema(given: unknown, what: string): Expression {
    const schema = checkedSchema(given, what);
    if (schema === false) return never;
    if (schema === true) return rule('value');
    const own = assertionsOf(schema, what);
    const { $ref, enum: values, const: constant, anyOf, oneOf, allOf, ...rest } = own;
    if ($ref !== undefined) {
      if (typeof $ref !== 'string')
        throw new InputError(`${what}: $ref is ${quoted($ref)}; expected a text`);
      alone('$ref', own, [], what);
      return rule(this.#reference($ref, what));
    }
    if (constant !== undefined || values !== undefined) {
      const name = constant === undefined ? 'enum' : 'const';
      alone(name, own, ['type'], what);
      return this.#values(constant === undefined ? values : [constant], name, own.type, what);
    }
    if (allOf !== undefined) {
      const { allOf: _, ...base } = own;
      const all = branchesOf(allOf, 'allOf', what).map((part, i) =>
        this.#assertions(part, `${what}/allOf/${i}`),
      );
      return this.#schema(
        all.reduce((a, b) => merged(a, b, what), base as SchemaObject),
        what,
      );
    }
    for (const [name, branches] of [
      ['anyOf', anyOf],
      ['oneOf', oneOf],
    ] as const) {
      if (branches === undefined) continue;
      const { [name]: _, ...base } = own;
      return this.#branches(name, branchesOf(branches, name, what), base, what);
    }
    const kinds = typesOf(rest, what);
    return choice(...kinds.map((type) => this.#typed(type, rest, what)));
  }

  /** The keywords of a schema that others are joined with; what a reference names is looked up. */
  #assertions(given: unknown, what: string): SchemaObject {
    const schema = checkedSchema(given, what);
    if (schema === true) return {};
    if (schema === false)
      throw new InputError(`${what}: false; expected a schema that a value meets`);
    const own = assertionsOf(schema, what);
    if (typeof own.$ref !== 'string') return own;
    alone('$ref', own, [], what);
    return this.#assertions(resolved(this.#document, own.$ref, what), own.$ref);
  }

  #branches(
    name: 'anyOf' | 'oneOf',
    branches: readonly unknown[],
    base: SchemaObject,
    what: string,
  ): Expression {
    if (name === 'oneOf') {
      const known = branches.map((branch, i) =>
        typeof branch === 'boolean' ? branch : this.#assertions(branch, `${what}/oneOf/${i}`),
      );
      for (const [i, a] of known.entries()) {
        for (const [j, b] of known.entries()) {
          if (i >= j || areDisjoint(a, b)) continue;
          throw new InputError(
            `${what}: oneOf: a value may meet both ${i} and ${j}; expected anyOf, or branches that differ in type, in const, or in the const of a property that both require`,
          );
        }
      }
    }
    const isAlone = Object.keys(base).length === 0;
    return choice(
      ...branches.map((branch, i) => {
        const at = `${what}/${name}/${i}`;
        if (isAlone || branch === false) return this.#schema(branch, at);
        return this.#schema(merged(base, this.#assertions(branch, at), at), at);
      }),
    );
  }

  #values(values: unknown, name: string, type: unknown, what: string): Expression {
    if (!Array.isArray(values) || values.length === 0) {
      throw new InputError(`${what}: enum is ${quoted(values)}; expected a list of values`);
    }
    const allowed = type === undefined ? types : typesIn(type, what);
    const kept = values.filter((value) => allowed.some((one) => isOfType(value, one)));
    if (kept.length > 0) return choice(...kept.map((value) => literal(JSON.stringify(value))));
    throw new InputError(`${what}: ${name} has no value of type ${quoted(type)}; expected one`);
  }

  #typed(type: TypeName, schema: SchemaObject, what: string): Expression {
    switch (type) {
      case 'object':
        return this.#object(schema, what);
      case 'array':
        return this.#array(schema, what);
      case 'string': {
        const [minLength, maxLength] = countsOf(schema, 'minLength', 'maxLength', what);
        const text = (name: string) => {
          const value = schema[name];
          if (value === undefined || typeof value === 'string') return value;
          throw new InputError(`${what}: ${name} is ${quoted(value)}; expected a text`);
        };
        return stringsWithin(
          { minLength, maxLength, pattern: text('pattern'), format: text('format') },
          what,
        );
      }
      case 'number':
      case 'integer': {
        const [low, high] = boundsOf(schema, what);
        if (!low && !high) return type === 'integer' ? anyInteger : anyNumber;
        return type === 'integer' ? integersWithin(low, high) : numbersWithin(low, high);
      }
      case 'boolean':
        return choice(literal('true'), literal('false'));
      default:
        return literal('null');
    }
  }

  #array(schema: SchemaObject, what: string): Expression {
    const [least, most] = countsOf(schema, 'minItems', 'maxItems', what);
    const { prefixItems = [], items = true } = schema;
    if (!Array.isArray(prefixItems)) {
      throw new InputError(
        `${what}: prefixItems is ${quoted(prefixItems)}; expected a list of schemas`,
      );
    }
    if (Array.isArray(items)) {
      throw new InputError(
        `${what}: items is a list; expected prefixItems for it, and a schema of the others`,
      );
    }
    const first = prefixItems.map((item, i) => this.#schema(item, `${what}/prefixItems/${i}`));
    const item = items === false ? never : this.#schema(items, `${what}/items`);
    // From the last to the first: what may follow so many items.
    let rest: Expression = this.#further(
      item,
      Math.max(0, least - first.length),
      most - first.length,
      first.length > 0,
    );
    for (const [i, one] of [...first.entries()].reverse()) {
      const with1 = sequence(...(i > 0 ? [comma] : []), one, rest);
      rest = i >= most ? empty : i < least ? with1 : optional(with1);
    }
    return sequence(literal('['), rest, literal(']'));
  }

  /** Items after those that have schemas of their own. */
  #further(item: Expression, least: number, most: number, begun: boolean): Expression {
    if (most <= 0) return empty;
    const next = sequence(comma, item);
    if (begun) return repeat(next, least, most);
    const list = sequence(item, repeat(next, Math.max(0, least - 1), most - 1));
    return least > 0 ? list : optional(list);
  }

  #object(schema: SchemaObject, what: string): Expression {
    const { properties = {}, required = [], additionalProperties } = schema;
    if (!isObject(properties)) {
      throw new InputError(
        `${what}: properties is ${quoted(properties)}; expected an object of schemas`,
      );
    }
    if (!Array.isArray(required) || required.some((name) => typeof name !== 'string')) {
      throw new InputError(`${what}: required is ${quoted(required)}; expected a list of names`);
    }
    const own = new Map<string, unknown>(Object.entries(properties));
    for (const name of required) {
      if (own.has(name)) continue;
      if (additionalProperties === false) {
        throw new InputError(
          `${what}: required names ${quoted(name)}, which additionalProperties rules out`,
        );
      }
      own.set(name, additionalProperties ?? true);
    }
    const entries = [...own].map(([name, value]) => ({
      needed: required.includes(name),
      pair: sequence(
        literal(JSON.stringify(name)),
        colon,
        this.#schema(
          value,
          `${what}/properties/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        ),
      ),
    }));
    const extra =
      additionalProperties === undefined || additionalProperties === false
        ? undefined
        : sequence(
            stringOtherThan([...own.keys()]),
            colon,
            this.#schema(additionalProperties, `${what}/additionalProperties`),
          );
    return sequence(literal('{'), this.#members(entries, extra, what), literal('}'));
  }

  /** The members of an object: a rule for what may follow each property, with one before it and without. */
  #members(
    entries: readonly { needed: boolean; pair: Expression }[],
    extra: Expression | undefined,
    what: string,
  ): Expression {
    const nameOf = (i: number, begun: boolean) => `${what} ${i}${begun ? ' ,' : ''}`;
    const end = (begun: boolean): Expression => {
      if (!extra) return empty;
      return begun ? repeat(sequence(comma, extra), 0) : listOf(extra);
    };
    for (const begun of [false, true]) this.#rules.set(nameOf(entries.length, begun), end(begun));
    for (const [i, { needed, pair }] of [...entries.entries()].reverse()) {
      for (const begun of [false, true]) {
        const taken = sequence(...(begun ? [comma] : []), pair, rule(nameOf(i + 1, true)));
        const skipped = rule(nameOf(i + 1, begun));
        this.#rules.set(nameOf(i, begun), needed ? taken : choice(taken, skipped));
      }
    }
    return rule(nameOf(0, false));
  }
}

/** The types that a schema has values of: those it names, or those that its keywords are for, or all. */
function typesOf(schema: SchemaObject, what: string): readonly TypeName[] {
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

/** @throws InputError where a schema has other keywords than one that stands alone, and some */
function alone(name: string, schema: SchemaObject, others: readonly string[], what: string): void {
  const other = Object.keys(schema).find((one) => one !== name && !others.includes(one));
  if (other !== undefined) {
    throw new InputError(
      `${what}: ${other} beside ${name} is not supported; expected ${name} alone`,
    );
  }
}

function branchesOf(branches: unknown, name: string, what: string): readonly unknown[] {
  if (Array.isArray(branches) && branches.length > 0) return branches;
  throw new InputError(`${what}: ${name} is ${quoted(branches)}; expected a list of schemas`);
}

function countsOf(schema: SchemaObject, min: string, max: string, what: string): [number, number] {
  const least = countOf(schema, min, 0, what);
  const most = countOf(schema, max, Number.POSITIVE_INFINITY, what);
  checkOrder(least, most, `${min} and ${max}`, what);
  return [least, most];
}

/** The stricter bound of each end. */
function boundsOf(schema: SchemaObject, what: string): [Bound | undefined, Bound | undefined] {
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

function isOfType(value: unknown, type: TypeName): boolean {
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
function resolved(document: unknown, pointer: string, what: string): unknown {
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
