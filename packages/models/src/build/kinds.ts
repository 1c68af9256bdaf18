import { z } from 'zod';
import type { OfKind } from './model-configuration.js';
import type { OwnPart, PartFactory } from './own-parts.js';

/** A schema for an object with a `kind`. */
export type KindSchema<Part> = z.core.$ZodTypeDiscriminable & z.ZodType<Part>;

/** A schema for each kind of a part; the compiler asks for every kind. */
export type Kinds<Part extends { kind: string }> = {
  readonly [K in Part['kind']]: KindSchema<OfKind<Part, K>>;
};

/** A part of any of its kinds. */
export const oneOf = <Part extends { kind: string }>(kinds: Kinds<Part>): z.ZodType<Part> => {
  const [first, ...others] = Object.values(kinds) as z.core.$ZodTypeDiscriminable[];
  return z.discriminatedUnion('kind', [first!, ...others]) as never;
};

/** A part of one's own, by its name. */
export const own: KindSchema<OwnPart<never>> = z.strictObject({
  kind: z.literal('own'),
  name: z.string().min(1),
  options: z.record(z.string(), z.unknown()).optional(),
  make: z.custom<PartFactory>((make) => typeof make === 'function').optional(),
}) as never;
