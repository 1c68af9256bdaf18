import { InputError, quoted } from '@headwise/core';
import type { GgufHeader, GgufReadValue } from '@headwise/gguf';

/** The settings of a GGUF file's architecture, and what tells more of it: the tensors that it has. */
export class GgufSettings {
  /** `general.architecture`. */
  readonly architecture: string;
  readonly #header: GgufHeader;
  readonly #name: string;
  readonly #factors: ReadonlyMap<string, readonly number[]>;

  /**
   * @param name of the file, in errors
   * @param factors the values of tensors that belong to the configuration, by name
   * @throws InputError where the file names no architecture
   */
  constructor(
    header: GgufHeader,
    name: string,
    factors: ReadonlyMap<string, readonly number[]> = new Map(),
  ) {
    this.#header = header;
    this.#name = name;
    this.#factors = factors;
    this.architecture = this.#checked('general.architecture', 'string', 'a text') as string;
  }

  /** @throws InputError where it is missing or not a number */
  number(key: string): number {
    return this.#checked(this.#own(key), 'number', 'a number') as number;
  }

  optionalNumber(key: string): number | undefined {
    return this.has(key) ? this.number(key) : undefined;
  }

  /** @throws InputError where it is not a truth value */
  flag(key: string, otherwise: boolean): boolean {
    return this.has(key)
      ? (this.#checked(this.#own(key), 'boolean', 'true or false') as boolean)
      : otherwise;
  }

  /** A setting of any type. */
  value(key: string): GgufReadValue | undefined {
    return this.#header.metadata.get(this.#own(key));
  }

  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  /** A value of the whole file, not of its architecture. */
  general(key: string): GgufReadValue | undefined {
    return this.#header.metadata.get(key);
  }

  hasTensor(name: string): boolean {
    return this.#header.tensors.has(name);
  }

  /** The values of a tensor that belongs to the configuration. */
  factors(name: string): readonly number[] | undefined {
    return this.#factors.get(name);
  }

  /** @throws InputError where there is no such tensor */
  shape(tensor: string): readonly number[] {
    const info = this.#header.tensors.get(tensor);
    if (info) return info.shape;
    throw new InputError(`${this.#name}: tensor '${tensor}' is missing`);
  }

  /** An error about a setting. */
  error(key: string, expected: string): InputError {
    const own = this.#own(key);
    return new InputError(
      `${this.#name}: '${own}' is ${quoted(this.#header.metadata.get(own))}; expected ${expected}`,
    );
  }

  #own(key: string): string {
    return `${this.architecture}.${key}`;
  }

  #checked(key: string, type: string, expected: string): GgufReadValue {
    const value = this.#header.metadata.get(key);
    if (typeof value === type) return value!;
    throw new InputError(
      value === undefined
        ? `${this.#name}: '${key}' is missing; expected ${expected}`
        : `${this.#name}: '${key}' is ${quoted(value)}; expected ${expected}`,
    );
  }
}
