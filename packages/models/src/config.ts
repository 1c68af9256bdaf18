import { InputError } from '@headwise/core';
import { z } from 'zod';

/** A whole number of at least 1, and no more than a tensor's size can be. */
export const size: z.ZodNumber = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);

/** A probability of dropout. */
export const rate: z.ZodNumber = z.number().min(0).lt(1);

/** `architectures`: the class of Hugging Face's that a checkpoint is of, one of those that are built. */
export function architecture<const Names extends readonly string[]>(
  ...names: Names
): z.ZodType<[Names[number]] | undefined> {
  return z.tuple([z.enum(names)]).optional() as never;
}

/**
 * Reads a value by a schema.
 *
 * @throws InputError with one line a problem: the file, the key, what it holds, what was expected
 */
export function parseWith<S extends z.ZodType>(
  schema: S,
  json: unknown,
  name: string,
): z.output<S> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new InputError(
    result.error.issues.map((issue) => `${name}: ${describe(issue, json)}`).join('\n'),
  );
}

function describe(issue: z.core.$ZodIssue, json: unknown): string {
  const key = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((k) => `'${[...issue.path, k].join('.')}'`).join(', ');
    return `unknown key${issue.keys.length > 1 ? 's' : ''} ${keys}`;
  }
  const given = issue.path.reduce<unknown>(
    (value, step) => (value as Record<PropertyKey, unknown> | undefined)?.[step],
    json,
  );
  const shown = given === undefined ? 'is missing' : `is ${JSON.stringify(given)}`;
  return `${key === '' ? 'the document' : `'${key}'`} ${shown}: ${issue.message}`;
}

/** Throws unless one size divides another, naming both. */
export function checkDivides(
  name: string,
  dimKey: string,
  dim: number,
  headsKey: string,
  heads: number,
): void {
  if (dim % heads === 0) return;
  throw new InputError(`${name}: '${dimKey}' ${dim} is not divisible by '${headsKey}' ${heads}`);
}

/** The names of a classifier's classes, by number: Hugging Face's `id2label`. */
export const labels: z.ZodType<Record<string, string> | null | undefined> = z
  .record(z.string().regex(/^\d+$/), z.string())
  .nullish();

/** The number of a classifier's classes; 2 where they have no names, as in Hugging Face's. */
export function labelCount(config: {
  id2label?: Record<string, string> | null | undefined;
}): number {
  return config.id2label ? Object.keys(config.id2label).length : 2;
}

/** A document with other names for some keys; a key that has its new name already stays. */
export function renamed(json: unknown, names: Readonly<Record<string, string>>): unknown {
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).flatMap(([key, value]) => {
      const name = names[key];
      if (name === undefined) return [[key, value]];
      return name in json ? [] : [[name, value]];
    }),
  );
}
