import { z } from 'zod';
import type { RotaryPart } from './configuration.js';
import { rotaryScaling } from './configuration-schema.js';

/** How a `config.json` speaks of rotary positions: `rope_parameters`, before version 5 `rope_theta` and `rope_scaling`. */
export interface RopeSettings {
  rope_parameters?: ScalingSettings | null | undefined;
  rope_scaling?: ScalingSettings | null | undefined;
  rope_theta?: number | undefined;
}

type ScalingSettings = NonNullable<RotaryPart['scaling']> & { rope_theta?: number | undefined };

const variants = z.looseObject({
  rope_theta: z.number().positive().optional(),
  // Turning only a part of a head's channels is not built in these families.
  partial_rotary_factor: z.literal(1).optional(),
});

/** Both spellings of the rule's name. */
const named = (json: unknown): unknown =>
  typeof json === 'object' && json && !('rope_type' in json)
    ? { ...json, rope_type: (json as { type?: unknown }).type ?? 'default' }
    : json;

const scaling = z.preprocess(named, variants.and(rotaryScaling)) as z.ZodType<ScalingSettings>;

/** The keys of {@link RopeSettings} in a schema. */
export const ropeShape: {
  readonly [K in keyof Required<RopeSettings>]: z.ZodType<RopeSettings[K]>;
} = {
  rope_parameters: scaling.nullish(),
  rope_scaling: scaling.nullish(),
  rope_theta: z.number().positive().optional(),
};

/** The rotary positions that a configuration asks for. */
export function rotaryPart(settings: RopeSettings, trainedLength: number): RotaryPart {
  const given = settings.rope_parameters ?? settings.rope_scaling ?? { rope_type: 'default' };
  const { rope_theta: base = settings.rope_theta ?? 10_000, ...rule } = given;
  if (rule.rope_type === 'default') return { kind: 'rotary', base };
  return { kind: 'rotary', base, scaling: rule as RotaryPart['scaling'], trainedLength };
}
