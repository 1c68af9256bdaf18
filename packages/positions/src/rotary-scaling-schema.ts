import { z } from 'zod';
import type { RotaryScaling } from './rotary-scaling.js';

const positive = z.number().positive();
const size = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);
const length = { original_max_position_embeddings: size.optional() };

/** Hugging Face's `rope_scaling`, by its `rope_type`. */
export const rotaryScaling: z.ZodType<RotaryScaling> = z.discriminatedUnion('rope_type', [
  z.looseObject({ rope_type: z.literal('default') }),
  z.looseObject({ rope_type: z.literal('linear'), factor: positive }),
  z.looseObject({ rope_type: z.literal('dynamic'), factor: positive }),
  z.looseObject({
    rope_type: z.literal('yarn'),
    factor: positive,
    attention_factor: positive.nullish(),
    beta_fast: z.number().nonnegative().nullish(),
    beta_slow: z.number().nonnegative().nullish(),
    mscale: z.number().nonnegative().nullish(),
    mscale_all_dim: z.number().nonnegative().nullish(),
    truncate: z.boolean().optional(),
    ...length,
  }),
  z.looseObject({
    rope_type: z.literal('longrope'),
    factor: positive,
    short_factor: z.array(positive),
    long_factor: z.array(positive),
    attention_factor: positive.nullish(),
    ...length,
  }),
  z.looseObject({
    rope_type: z.literal('llama3'),
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    ...length,
  }),
]);
