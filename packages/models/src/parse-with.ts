import { InputError, quoted } from '@headwise/core';
import { z } from 'zod';
import { nearestName } from './nearest.js';

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
