import { z } from 'zod';

/** A whole number of at least 1, and no more than a tensor's size can be. */
export const size: z.ZodNumber = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);

/** A number of blocks, or of experts in one; models with more than this have not been trained. */
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
