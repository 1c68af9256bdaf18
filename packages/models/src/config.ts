import { InputError, quoted } from '@headwise/core';
import { z } from 'zod';
import { nearestName } from './nearest.js';

/** A whole number of at least 1, and no more than a tensor's size can be. */
export const size: z.ZodNumber = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);

/** A number of blocks; deeper models than this have not been trained. */
export const depth: z.ZodNumber = z.number().int().min(1).max(4096);

/** The id of a token that has a role; files write -1 for none, or for the last. */
export const tokenId: z.ZodNumber = z.number().int();

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
    result.error.issues.map((issue) => `${name}: ${describe(issue, json, schema)}`).join('\n'),
  );
}

function describe(issue: z.core.$ZodIssue, json: unknown, schema: z.ZodType): string {
  const key = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, json, issue.path);
    return issue.keys
      .map((k) => {
        const nearest = nearestName(k, known);
        const hint = nearest === undefined ? '' : `; the nearest known is '${nearest}'`;
        return `unknown key '${[...issue.path, k].join('.')}'${hint}`;
      })
      .join(', ');
  }
  const given = issue.path.reduce<unknown>(
    (value, step) => (value as Record<PropertyKey, unknown> | undefined)?.[step],
    json,
  );
  const shown = given === undefined ? 'is missing' : `is ${quoted(given)}`;
  return `${key === '' ? 'the document' : `'${key}'`} ${shown}: ${issue.message}`;
}

/** The keys of the object schema at a path of a document; of a union, those of the kind that the document names. */
function keysAt(schema: z.core.$ZodType, json: unknown, path: readonly PropertyKey[]): string[] {
  const def = schema._zod.def as unknown as Record<string, unknown>;
  if (def.innerType) return keysAt(def.innerType as z.core.$ZodType, json, path);
  if (Array.isArray(def.options)) {
    const tag = String(def.discriminator);
    const option = def.options.find(
      (option: z.ZodObject) =>
        z.safeParse(option.shape?.[tag] ?? z.never(), (json as Record<string, unknown>)[tag])
          .success,
    );
    return option ? keysAt(option, json, path) : [];
  }
  const shape = def.shape as Record<string, z.core.$ZodType> | undefined;
  if (!shape) return [];
  const [step, ...rest] = path;
  if (step === undefined) return Object.keys(shape);
  const below = shape[String(step)];
  return below ? keysAt(below, (json as Record<PropertyKey, unknown>)[step], rest) : [];
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

/** The settings of a classifier's classes: their names, or else their number. */
export const classes: {
  readonly id2label: typeof labels;
  readonly num_labels: z.ZodType<number | undefined>;
} = { id2label: labels, num_labels: size.optional() };

/** The number of a classifier's classes: of their names, else as it is given, else 2, as in Hugging Face's. */
export function labelCount(config: {
  id2label?: Record<string, string> | null | undefined;
  num_labels?: number | undefined;
}): number {
  return config.id2label ? Object.keys(config.id2label).length : (config.num_labels ?? 2);
}
