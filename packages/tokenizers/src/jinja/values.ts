/** A value as a template sees it: Python's ints are bigints here, its floats numbers, its lists arrays. */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Value[]
  | Tuple
  | Dict
  | Undefined
  | Markup
  | Host;

/** Any other object of Python's: functions, iterators, `loop`, namespaces. */
export interface Host {
  /** As Python names the type in errors. */
  readonly type: string;
  attribute?(name: string): Value | undefined;
  call?(args: readonly Value[], named: ReadonlyMap<string, Value>): Value;
  iterate?(): Iterable<Value>;
  size?(): number;
  /** As Python prints it; without it, what Python prints holds an address. */
  print?(): string;
}

/** What goes wrong in a template, with the name of Python's or Jinja's exception. */
export class JinjaError extends Error {
  override readonly name = 'JinjaError';
}

export class Tuple {
  constructor(readonly items: readonly Value[]) {}
}

/** Text that is HTML already. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What a name or an attribute that is not there stands for: prints as nothing, and fails when it is used. */
export class Undefined {
  constructor(readonly message: string) {}

  fail(): never {
    throw new JinjaError(this.message);
  }
}

/** A dict: keys that are equal in Python are one key, and keep their order. */
export class Dict {
  readonly #entries = new Map<string | bigint | number, [key: Value, value: Value]>();

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(hashOf(key))?.[1];
  }

  has(key: Value): boolean {
    return this.#entries.has(hashOf(key));
  }

  set(key: Value, value: Value): void {
    const hash = hashOf(key);
    const known = this.#entries.get(hash);
    this.#entries.set(hash, [known ? known[0] : key, value]);
  }

  keys(): Value[] {
    return Array.from(this.#entries.values(), ([key]) => key);
  }

  values(): Value[] {
    return Array.from(this.#entries.values(), ([, value]) => value);
  }

  items(): [Value, Value][] {
    return [...this.#entries.values()];
  }
}

/** A key that is the same for values that are equal in Python. */
export function hashOf(value: Value): string | bigint | number {
  if (typeof value === 'string') return `s${value}`;
  if (value instanceof Markup) return `s${value.text}`;
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (value === null) return 'none';
  if (value instanceof Undefined) return 'undefined';
  if (value instanceof Tuple)
    return `t${JSON.stringify(value.items.map((v) => String(hashOf(v))))}`;
  throw new JinjaError(`TypeError: unhashable type: '${typeOf(value)}'`);
}

/** A function that templates may call. */
export class Func implements Host {
  readonly type = 'function';

  constructor(
    readonly name: string,
    readonly run: (args: readonly Value[], named: ReadonlyMap<string, Value>) => Value,
  ) {}

  call(args: readonly Value[], named: ReadonlyMap<string, Value>): Value {
    return this.run(args, named);
  }
}

/** What can be gone through once. */
export class Generator implements Host {
  readonly type = 'generator';
  readonly #source: Iterator<Value>;

  constructor(source: Iterable<Value>) {
    this.#source = source[Symbol.iterator]();
  }

  iterate(): Iterable<Value> {
    const source = this.#source;
    return { [Symbol.iterator]: () => ({ next: () => source.next() }) };
  }
}

export class Range implements Host {
  readonly type = 'range';

  constructor(
    readonly start: bigint,
    readonly stop: bigint,
    readonly step: bigint,
  ) {}

  size(): number {
    const { start, stop, step } = this;
    const span = step > 0n ? stop - start : start - stop;
    const each = step > 0n ? step : -step;
    return span <= 0n ? 0 : Number((span + each - 1n) / each);
  }

  at(i: number): bigint {
    return this.start + BigInt(i) * this.step;
  }

  *iterate(): Iterable<Value> {
    for (let i = 0; i < this.size(); i++) yield this.at(i);
  }

  print(): string {
    const { start, stop, step } = this;
    return `range(${start}, ${stop}${step === 1n ? '' : `, ${step}`})`;
  }
}

/** Python's name of a value's type. */
export function typeOf(value: Value): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float';
  if (typeof value === 'string') return 'str';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Tuple) return 'tuple';
  if (value instanceof Dict) return 'dict';
  if (value instanceof Markup) return 'Markup';
  if (value instanceof Undefined) return 'Undefined';
  return value.type;
}

export const isString = (value: Value): value is string | Markup =>
  typeof value === 'string' || value instanceof Markup;

export const isNumber = (value: Value): value is bigint | number | boolean =>
  typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean';

/** A list's or a tuple's items; undefined for anything else. */
export function itemsOf(value: Value): readonly Value[] | undefined {
  if (Array.isArray(value)) return value;
  return value instanceof Tuple ? value.items : undefined;
}

/** The characters of a text, as Python counts them. */
export const charsOf = (text: string): string[] => Array.from(text);

/** What a `for` goes through. */
export function iterate(value: Value): Iterable<Value> {
  const items = itemsOf(value);
  if (items) return items;
  if (isString(value)) return charsOf(textOf(value));
  if (value instanceof Dict) return value.keys();
  if (value instanceof Undefined) return [];
  if (isHost(value) && value.iterate) return value.iterate();
  throw new JinjaError(`TypeError: '${typeOf(value)}' object is not iterable`);
}

export function isIterable(value: Value): boolean {
  if (value instanceof Undefined || value instanceof Dict) return true;
  return isString(value) || itemsOf(value) !== undefined || (isHost(value) && !!value.iterate);
}

export const textOf = (value: string | Markup): string =>
  typeof value === 'string' ? value : value.text;

export function isHost(value: Value): value is Host {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !(
    value instanceof Tuple ||
    value instanceof Dict ||
    value instanceof Undefined ||
    value instanceof Markup
  );
}

/** `len(value)`. */
export function lengthOf(value: Value): number {
  if (isString(value)) {
    const text = textOf(value);
    return /[\ud800-\udbff]/.test(text) ? charsOf(text).length : text.length;
  }
  const items = itemsOf(value);
  if (items) return items.length;
  if (value instanceof Dict) return value.size;
  if (value instanceof Undefined) return 0;
  if (isHost(value) && value.size) return value.size();
  throw new JinjaError(`TypeError: object of type '${typeOf(value)}' has no len()`);
}

/** `bool(value)`. */
export function isTrue(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (isNumber(value)) return Boolean(value);
  if (isHost(value) && !value.size) return true;
  return lengthOf(value) > 0;
}

/**
 * A JavaScript value as the template's Python would have it from JSON.
 *
 * @throws JinjaError where it is in a circle, or is not data
 */
export function fromJs(value: unknown, depth = 0): Value {
  if (depth > 200) throw new JinjaError('a variable is nested more than 200 deep, or in a circle');
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'string') {
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => fromJs(item, depth + 1));
  if (value instanceof Map) {
    return new Dict(
      Array.from(value, ([key, item]) => [fromJs(key, depth + 1), fromJs(item, depth + 1)]),
    );
  }
  if (typeof value === 'object') {
    const json = (value as { toJSON?: (() => unknown) | undefined }).toJSON;
    if (typeof json === 'function') return fromJs(json.call(value), depth + 1);
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return new Dict(entries.map(([key, item]) => [key, fromJs(item, depth + 1)]));
  }
  throw new JinjaError(`a variable is a ${typeof value}; expected data, as JSON holds it`);
}
