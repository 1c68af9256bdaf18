import { InputError } from '@headwise/core';
import { z } from 'zod';
import { nearestName } from '../../nearest.js';
import { parseWith } from '../../parse-with.js';
import { commonKeys } from './known-keys.js';

/** The keys that a family knows. */
export type KnownKeys = Pick<Settings<unknown>, 'read' | 'kept' | 'nested'>;

/** How a family reads its `config.json`. */
export interface Settings<Config> {
  /** The keys that have an effect, other names among them. */
  readonly read: ReadonlySet<string>;
  /** The keys that are known, and change nothing that is computed here. */
  readonly kept: ReadonlySet<string>;
  /** Settings that are documents of other families, by their keys. */
  readonly nested?: Readonly<Record<string, KnownKeys>> | undefined;
  /**
   * The settings of a document, under their present names; null where a setting takes none, and an empty
   * `architectures`, are as absent. Unknown keys are kept.
   *
   * @throws InputError with one line a problem
   */
  parse(json: unknown, name: string): Config;
}

export interface SettingsNames {
  /** Other names of settings: `attribute_map` of transformers' class, and what older releases wrote. */
  aliases?: Readonly<Record<string, string>> | undefined;
  /** Keys of transformers' class that change nothing that is computed here. */
  kept?: readonly string[] | undefined;
  /** Settings that are documents of other families. */
  nested?: Readonly<Record<string, KnownKeys>> | undefined;
}

/** The settings of a family: a schema for each, other names, and what is known besides. */
export function settings<Config>(
  shape: z.ZodRawShape,
  { aliases = {}, kept = [], nested }: SettingsNames = {},
  refined: (schema: z.ZodObject) => z.ZodType = (schema) => schema,
): Settings<Config> {
  const schema = refined(z.looseObject(shape));
  const takesNull = (key: string) => shape[key] !== undefined && accepts(shape[key], null);
  return {
    read: new Set([...Object.keys(shape), ...Object.keys(aliases)]),
    kept: new Set([...commonKeys, ...kept]),
    nested,
    parse: (json, name) =>
      parseWith(schema, withoutAbsent(renamed(json, aliases), shape, takesNull), name) as Config,
  };
}

const accepts = (schema: z.core.$ZodType, value: unknown): boolean =>
  z.safeParse(schema, value).success;

/** A document under the present names; where a setting stands under both, transformers takes the other name's. */
function renamed(json: unknown, aliases: Readonly<Record<string, string>>): unknown {
  if (!isDocument(json)) return json;
  const known = Object.entries(json).filter(([key]) => !Object.hasOwn(aliases, key));
  const other = Object.entries(json).flatMap(([key, value]) =>
    Object.hasOwn(aliases, key) && value != null ? [[aliases[key]!, value] as const] : [],
  );
  return Object.fromEntries([...known, ...other]);
}

function withoutAbsent(
  json: unknown,
  shape: z.ZodRawShape,
  takesNull: (key: string) => boolean,
): unknown {
  if (!isDocument(json)) return json;
  const absent = ([key, value]: [string, unknown]) =>
    (value === null && shape[key] !== undefined && !takesNull(key)) ||
    (key === 'architectures' && Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(json).filter((entry) => !absent(entry)));
}

const isDocument = (json: unknown): json is Record<string, unknown> =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

/**
 * Throws where a configuration that a person wrote has keys that nothing reads.
 *
 * @throws InputError with every such key and the nearest that is known
 */
export function refuseUnknownKeys(
  { read, kept, nested = {} }: KnownKeys,
  json: unknown,
  name: string,
): void {
  if (!isDocument(json)) return;
  for (const [key, known] of Object.entries(nested)) {
    refuseUnknownKeys(known, json[key], `${name}: ${key}`);
  }
  const unknown = Object.entries(json).filter(
    ([key, value]) => value !== undefined && !read.has(key) && !kept.has(key),
  );
  if (unknown.length === 0) return;
  const lines = unknown.map(
    ([key]) =>
      `${name}: unknown key '${key}'; the nearest known is '${nearestName(key, read, kept)}'`,
  );
  throw new InputError(lines.join('\n'));
}
