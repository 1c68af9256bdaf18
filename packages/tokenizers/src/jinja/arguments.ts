import { isNumber, JinjaError, typeOf, type Value } from './values.js';

export type Positional = readonly Value[];
export type Named = ReadonlyMap<string, Value>;

/**
 * The arguments of a call by the names of its parameters; undefined where one is not given.
 *
 * @throws JinjaError naming the function and an argument that it does not take
 */
export function bind(
  callee: string,
  parameters: readonly string[],
  args: Positional,
  named: Named,
): (Value | undefined)[] {
  if (args.length > parameters.length) {
    throw new JinjaError(
      `TypeError: ${callee}() takes at most ${parameters.length} arguments (${args.length} given)`,
    );
  }
  const values: (Value | undefined)[] = parameters.map((_, i) => args[i]);
  for (const [name, value] of named) {
    const at = parameters.indexOf(name);
    if (at < 0)
      throw new JinjaError(`TypeError: ${callee}() got an unexpected keyword argument '${name}'`);
    if (values[at] !== undefined) {
      throw new JinjaError(`TypeError: ${callee}() got multiple values for argument '${name}'`);
    }
    values[at] = value;
  }
  return values;
}

/** A whole number where one is expected. */
export function wholeNumber(value: Value, what: string): number {
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
  throw new JinjaError(`TypeError: ${what} is of type '${typeOf(value)}'; expected an int`);
}

/** A number where one is expected. */
export function numberOf(value: Value, what: string): number {
  if (isNumber(value)) return Number(value);
  throw new JinjaError(`TypeError: ${what} is of type '${typeOf(value)}'; expected a number`);
}
