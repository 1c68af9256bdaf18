import { bind } from './arguments.js';
import { caseKey, dictOf, type Filter, getter } from './filter.js';
import { binary, equals, order, sorted } from './operators.js';
import { str } from './print.js';
import {
  Dict,
  Generator,
  hashOf,
  isHost,
  isString,
  isTrue,
  iterate,
  JinjaError,
  Range,
  Tuple,
  textOf,
  typeOf,
  Undefined,
  type Value,
} from './values.js';

export function extreme(name: string, sign: 1 | -1): Filter {
  return (value, args, named, engine) => {
    const [caseSensitive, attribute = null] = bind(
      name,
      ['case_sensitive', 'attribute'],
      args,
      named,
    );
    const key = caseKey(getter(engine, attribute), caseSensitive);
    let best: Value | undefined;
    let bestKey: Value = null;
    for (const item of iterate(value)) {
      const itemKey = key(item);
      if (best === undefined || sign * order(itemKey, bestKey, sign < 0 ? '>' : '<') < 0)
        [best, bestKey] = [item, itemKey];
    }
    if (best !== undefined) return best;
    return new Undefined('UndefinedError: No aggregated item, sequence was empty.');
  };
}

/** `select`, `reject`, `selectattr` and `rejectattr`. */
export function selecting(wanted: boolean, byAttribute: boolean): Filter {
  return (value, args, named, engine) => {
    if (byAttribute && args.length === 0) {
      throw new JinjaError('FilterArgumentError: Missing parameter for attribute name');
    }
    const get = byAttribute ? getter(engine, args[0]!) : (item: Value) => item;
    const [name, ...rest] = byAttribute ? args.slice(1) : args;
    const passes = (item: Value) =>
      name === undefined ? isTrue(item) : engine.test(str(name), item, rest, named);
    return new Generator(
      (function* () {
        if (!isTrue(value)) return;
        for (const item of iterate(value)) if (passes(get(item)) === wanted) yield item;
      })(),
    );
  };
}

export const map: Filter = (value, args, named, engine) => {
  let change: (item: Value) => Value;
  if (args.length === 0 && named.has('attribute')) {
    const [attribute, missing] = bind('map', ['attribute', 'default'], [], named);
    change = getter(engine, attribute!, missing);
  } else if (args.length === 0) {
    throw new JinjaError('FilterArgumentError: map requires a filter argument');
  } else change = (item) => engine.filter(str(args[0]!), item, args.slice(1), named);
  return new Generator(
    (function* () {
      if (!isTrue(value)) return;
      for (const item of iterate(value)) yield change(item);
    })(),
  );
};

export const sort: Filter = (value, args, named, engine) => {
  const [reverse, caseSensitive, attribute = null] = bind(
    'sort',
    ['reverse', 'case_sensitive', 'attribute'],
    args,
    named,
  );
  const names = isString(attribute) ? textOf(attribute).split(',') : [attribute];
  const keys = names.map((name) => caseKey(getter(engine, name), caseSensitive));
  const key = (item: Value): Value => keys.map((get) => get(item));
  return sorted([...iterate(value)], key, isTrue(reverse ?? false));
};

export const groupby: Filter = (value, args, named, engine) => {
  const [attribute = null, missing, caseSensitive] = bind(
    'groupby',
    ['attribute', 'default', 'case_sensitive'],
    args,
    named,
  );
  const get = getter(engine, attribute, missing);
  const key = caseKey(get, caseSensitive);
  const groups: [Value, Value[]][] = [];
  for (const item of sorted([...iterate(value)], key, false)) {
    const last = groups.at(-1);
    if (last && equals(last[0], key(item))) last[1].push(item);
    else groups.push([key(item), [item]]);
  }
  return groups.map(([, items]) => new Group(get(items[0]!), items));
};

/** A group has names for its two parts. */
class Group extends Tuple {
  constructor(
    readonly grouper: Value,
    readonly list: Value[],
  ) {
    super([grouper, list]);
  }
}

export const groupPart = (value: Value, name: string): Value | undefined =>
  value instanceof Group && (name === 'grouper' || name === 'list') ? value[name] : undefined;

export const dictsort: Filter = (value, args, named) => {
  const [caseSensitive, by = 'key', reverse] = bind(
    'dictsort',
    ['case_sensitive', 'by', 'reverse'],
    args,
    named,
  );
  if (by !== 'key' && by !== 'value') {
    throw new JinjaError('FilterArgumentError: You can only sort by either "key" or "value"');
  }
  const at = by === 'key' ? 0 : 1;
  const key = caseKey((entry) => (entry as Tuple).items[at]!, caseSensitive);
  return sorted(
    dictOf(value, 'dictsort')
      .items()
      .map((entry) => new Tuple(entry)),
    key,
    isTrue(reverse ?? false),
  );
};

export function* batches(values: Iterable<Value>, size: number, fill: Value): Iterable<Value> {
  let batch: Value[] = [];
  for (const value of values) {
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
    batch.push(value);
  }
  if (batch.length === 0) return;
  while (fill !== null && batch.length < Math.min(size, 1e6)) batch.push(fill);
  yield batch;
}

export function* slices(values: readonly Value[], count: number, fill: Value): Iterable<Value> {
  const each = Math.floor(values.length / count);
  const longer = values.length % count;
  let at = 0;
  for (let i = 0; i < count; i++) {
    const part = values.slice(at, at + each + (i < longer ? 1 : 0));
    at += part.length;
    if (fill !== null && i >= longer) part.push(fill);
    yield part;
  }
}

export const unique: Filter = (value, args, named, engine) => {
  const [caseSensitive, attribute = null] = bind(
    'unique',
    ['case_sensitive', 'attribute'],
    args,
    named,
  );
  const key = caseKey(getter(engine, attribute), caseSensitive);
  return new Generator(
    (function* () {
      const seen = new Set<unknown>();
      for (const item of iterate(value)) {
        const hash = hashOf(key(item));
        if (!seen.has(hash)) yield item;
        seen.add(hash);
      }
    })(),
  );
};

export const sum: Filter = (value, args, named, engine) => {
  const [attribute = null, start = 0n] = bind('sum', ['attribute', 'start'], args, named);
  const get = getter(engine, attribute);
  let total = start;
  for (const item of iterate(value)) {
    const part = get(item);
    if (isString(part) || isString(total)) {
      throw new JinjaError(
        `TypeError: unsupported operand type(s) for +: '${typeOf(total)}' and '${typeOf(part)}'`,
      );
    }
    total = binary('+', total, part);
  }
  return total;
};

/** What can be gone through backwards. */
export function reversible(value: Value): Iterable<Value> {
  if (isHost(value) && !(value instanceof Range) && !value.size) {
    throw new JinjaError(`TypeError: '${typeOf(value)}' object is not reversible`);
  }
  return iterate(value);
}

/** A value whose dicts are in the order of their keys, as `pprint` shows them. */
export function inOrder(value: Value): Value {
  if (Array.isArray(value)) return value.map(inOrder);
  if (value instanceof Tuple) return new Tuple(value.items.map(inOrder));
  if (!(value instanceof Dict)) return value;
  const entries = value.items().map(([key, item]): Value => new Tuple([key, inOrder(item)]));
  const key = (entry: Value) => (entry as Tuple).items[0]!;
  return new Dict(
    sorted(entries, key, false).map((entry) => (entry as Tuple).items as [Value, Value]),
  );
}
