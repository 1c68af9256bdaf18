import { TokenizerError } from './errors.js';

/** The highest id that a tensor of int32 holds. */
export const maxId: number = 2 ** 31 - 1;

/** An object of a `tokenizer.json`, read field by field with errors that name the field and what it holds. */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;

  /** @param path where the object stands: `tokenizer.json: 'model'` */
  constructor(
    value: unknown,
    readonly path: string,
  ) {
    if (!isObject(value)) throw mismatch(path, value, 'an object');
    this.#values = value;
  }

  /** The object as it stands in the file. */
  get json(): Readonly<Record<string, unknown>> {
    return this.#values;
  }

  get type(): string {
    return this.string('type');
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null;
  }

  value(name: string): unknown {
    return this.#values[name];
  }

  string(name: string, missing?: string): string {
    const value = this.#values[name] ?? missing;
    return typeof value === 'string' ? value : this.refuse(name, 'a string');
  }

  /** A string, or undefined where it is null or missing. */
  optional(name: string): string | undefined {
    return this.has(name) ? this.string(name) : undefined;
  }

  /** One character, which may be a pair of code units. */
  character(name: string, missing?: string): string {
    const value = this.string(name, missing);
    return [...value].length === 1 ? value : this.refuse(name, 'one character');
  }

  boolean(name: string, missing?: boolean): boolean {
    const value = this.#values[name] ?? missing;
    return typeof value === 'boolean' ? value : this.refuse(name, 'true or false');
  }

  /** A whole number of at least 0, and of at most `most` where that is given. */
  count(name: string, missing?: number, most?: number): number {
    const value = this.#values[name] ?? missing;
    if (isCount(value, most)) return value;
    const range = most === undefined ? 'of at least 0' : `from 0 to ${most}`;
    return this.refuse(name, `a whole number ${range}`);
  }

  /** An id, as a tensor of int32 holds it. */
  id(name: string, missing?: number): number {
    return this.count(name, missing, maxId);
  }

  object(name: string): Fields {
    return new Fields(this.#values[name], `${this.path}.${name}`);
  }

  array(name: string): readonly unknown[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value : this.refuse(name, 'an array');
  }

  objects(name: string): Fields[] {
    return this.array(name).map((value, i) => new Fields(value, `${this.path}.${name}[${i}]`));
  }

  /** One of some strings. */
  oneOf<T extends string>(name: string, options: readonly T[], missing?: T): T {
    const value = this.#values[name] ?? missing;
    return options.includes(value as T)
      ? (value as T)
      : this.refuse(name, options.map((option) => `"${option}"`).join(' or '));
  }

  /** @throws TokenizerError naming a field, what it holds and what was expected */
  refuse(name: string, expected: string): never {
    throw mismatch(`${this.path}.${name}`, this.#values[name], expected);
  }
}

/** An error that names a field, what it holds and what was expected. */
export function mismatch(path: string, found: unknown, expected: string): TokenizerError {
  return new TokenizerError(`${path} is ${shown(found)}; expected ${expected}`);
}

/** A value of a file as a message shows it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    // Nested too deeply, in a circle, or a bigint.
    text = typeof value === 'object' ? 'a value that JSON cannot hold' : String(value);
  }
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Whether a value is a whole number from 0 to `most`. */
export const isCount = (value: unknown, most: number = Number.MAX_SAFE_INTEGER): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads a part of the pipeline by its `type`; undefined where there is none.
 *
 * @throws TokenizerError naming a part that is not known
 */
export function readPart<T>(
  value: unknown,
  path: string,
  readers: Readonly<Record<string, (fields: Fields) => T>>,
): T | undefined {
  if (value === null || value === undefined) return undefined;
  const fields = new Fields(value, path);
  if (!Object.hasOwn(readers, fields.type)) {
    throw mismatch(`${path}.type`, fields.type, `one of ${Object.keys(readers).join(', ')}`);
  }
  return readers[fields.type]!(fields);
}
