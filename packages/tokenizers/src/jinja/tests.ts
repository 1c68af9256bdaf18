import { bind, type Named, type Positional } from './arguments.js';
import { binary, compare } from './operators.js';
import { str } from './print.js';
import {
  Dict,
  isHost,
  isIterable,
  isNumber,
  isString,
  itemsOf,
  JinjaError,
  Markup,
  Range,
  typeOf,
  Undefined,
  type Value,
} from './values.js';

/** Whether `value is test(…)`. */
export type Test = (value: Value, args: Positional, named: Named) => boolean;

const comparing =
  (sign: string): Test =>
  (value, args) => {
    if (args.length !== 1) throw new JinjaError(`TypeError: the test '${sign}' takes one argument`);
    return compare(sign, value, args[0]!);
  };
const remainder = (value: Value, by: Value): Value => {
  if (isString(value))
    throw new JinjaError(`TypeError: not all arguments converted during string formatting`);
  return binary('%', value, by);
};
const isLower = (text: string) => /\p{Ll}/u.test(text) && !/[\p{Lu}\p{Lt}]/u.test(text);
const isUpper = (text: string) => /[\p{Lu}\p{Lt}]/u.test(text) && !/\p{Ll}/u.test(text);

/** Jinja's tests by their names, but those that ask for filters and tests. */
const tests: Readonly<Record<string, Test>> = {
  odd: (value) => compare('==', remainder(value, 2n), 1n),
  even: (value) => compare('==', remainder(value, 2n), 0n),
  divisibleby: (value, args, named) =>
    compare('==', remainder(value, bind('divisibleby', ['num'], args, named)[0] ?? null), 0n),
  defined: (value) => !(value instanceof Undefined),
  undefined: (value) => value instanceof Undefined,
  none: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  true: (value) => value === true,
  false: (value) => value === false,
  integer: (value) => typeof value === 'bigint',
  float: (value) => typeof value === 'number',
  number: (value) => isNumber(value),
  lower: (value) => isLower(str(value)),
  upper: (value) => isUpper(str(value)),
  string: (value) => isString(value),
  mapping: (value) => value instanceof Dict,
  sequence: (value) =>
    isString(value) ||
    value instanceof Dict ||
    value instanceof Range ||
    itemsOf(value) !== undefined,
  iterable: isIterable,
  callable: (value) => isHost(value) && value.call !== undefined,
  sameas: (value, args) => {
    const other = args[0] ?? null;
    const isSame = typeof value === 'bigint' || typeof value === 'string';
    return value === other && (!isSame || typeOf(value) === typeOf(other));
  },
  escaped: (value) => value instanceof Markup,
  in: (value, args) => compare('in', value, args[0] ?? null),
};

/** The same tests under other names. */
const signs: readonly (readonly [sign: string, ...names: string[]])[] = [
  ['==', '==', 'eq', 'equalto'],
  ['!=', '!=', 'ne'],
  ['>', '>', 'gt', 'greaterthan'],
  ['>=', '>=', 'ge'],
  ['<', '<', 'lt', 'lessthan'],
  ['<=', '<=', 'le'],
];

export const allTests: ReadonlyMap<string, Test> = new Map([
  ...Object.entries(tests),
  ...signs.flatMap(([sign, ...names]) =>
    names.map((name): [string, Test] => [name, comparing(sign)]),
  ),
]);
