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
import { anyText } from '../regex.js';
import { areDisjoint } from './disjoint.js';
import {
  assertionsOf,
  checkedSchema,
  isObject,
  merged,
  type SchemaObject,
  type TypeName,
  typed,
  types,
  typesIn,
} from './keywords.js';
import { anyInteger, anyNumber, integersWithin, numbersWithin } from './numbers.js';
import { anyString, contentWithin, stringOtherThan, stringsWithin } from './strings.js';
import {
  alone,
  boundsOf,
  branchesOf,
  countsOf,
  isOfType,
  itemsOf,
  resolved,
  stringBoundsOf,
  typesOf,
} from './values.js';

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
      case 'string':
        return stringsWithin(stringBoundsOf(schema, what), what);
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
    const [[first, nameOfFirst], [others, nameOfOthers]] = itemsOf(schema, what);
    const items = first.map((item, i) => this.#schema(item, `${what}/${nameOfFirst}/${i}`));
    const item = others === false ? never : this.#schema(others, `${what}/${nameOfOthers}`);
    // From the last to the first: what may follow so many items.
    let rest: Expression = this.#further(
      item,
      Math.max(0, least - items.length),
      most - items.length,
      items.length > 0,
    );
    for (const [i, one] of [...items.entries()].reverse()) {
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
    const { properties = {}, required = [], additionalProperties, propertyNames } = schema;
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
    const names = this.#names(propertyNames, [...own.keys()], what);
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
            stringOtherThan([...own.keys()], names),
            colon,
            this.#schema(additionalProperties, `${what}/additionalProperties`),
          );
    return sequence(literal('{'), this.#members(entries, extra, what), literal('}'));
  }

  /**
   * The names that properties may have.
   *
   * @throws InputError where `propertyNames` is more than a schema of strings, or rules out a property that the schema names
   */
  #names(given: unknown, own: readonly string[], what: string): Expression {
    if (given === undefined || given === true) return anyText;
    const at = `${what}/propertyNames`;
    const schema = this.#assertions(given, at);
    const { type, const: constant, enum: values, ...bounds } = schema;
    const isString = type === undefined || typesIn(type, at).includes('string');
    const other = Object.keys(bounds).find((key) => !typed[key]?.includes('string'));
    if (!isString || other !== undefined) {
      throw new InputError(
        `${at}: ${other ?? `type ${quoted(type)}`} is not supported; expected a schema of strings`,
      );
    }
    if (constant !== undefined || values !== undefined) {
      const listed = constant === undefined ? values : [constant];
      const texts = Array.isArray(listed) ? listed.filter((one) => typeof one === 'string') : [];
      const outside = own.find((name) => !texts.includes(name));
      if (outside === undefined && Object.keys(bounds).length === 0) {
        return choice(...texts.map(literal));
      }
      throw new InputError(
        `${at}: ${quoted(listed)}; expected a list of names alone, with all that properties and required have${outside === undefined ? '' : `, such as ${quoted(outside)}`}`,
      );
    }
    if (own.length === 0) return contentWithin(stringBoundsOf(bounds, at), at);
    throw new InputError(
      `${at}: a pattern or a length beside properties or required is not supported; expected a list of names, as enum`,
    );
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
