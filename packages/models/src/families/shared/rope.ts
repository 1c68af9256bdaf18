import { InputError } from '@headwise/core';
import type { RotaryPart, RotaryScaling } from '@headwise/positions';
import { rotaryScaling } from '@headwise/positions/internal';
import { z } from 'zod';
import { size } from '../../fields.js';
import { parseWith } from '../../parse-with.js';

/** How a `config.json` speaks of rotary positions: `rope_parameters`, before version 5 `rope_theta` and `rope_scaling`. */
export interface RopeSettings {
  rope_parameters?: Rule | null | undefined;
  /** Where it is there and not empty, it stands above `rope_parameters`. */
  rope_scaling?: Rule | null | undefined;
  /** Where the rule has none. */
  rope_theta?: number | undefined;
  partial_rotary_factor?: 1 | undefined;
  /** The length that a `yarn`, `longrope` or `llama3` model was trained on, above the rule's own. */
  original_max_position_embeddings?: number | undefined;
}

type Rule = Record<string, unknown>;

const positive = z.number().positive();

// transformers' models of these families ignore it or fail, and other libraries turn a part of the channels.
const wholeHead = z
  .literal(1, {
    error: 'turning a part of a head is not built in these families; expected 1 or nothing',
  })
  .optional();

const ofOneType = z.never({ error: 'a rule for one type of layer is not built' }).optional();

/** A rule as it is written, in every place that a release has written it. */
const rule: z.ZodType<Rule> = z
  .preprocess(
    withoutNull,
    z.looseObject({
      rope_type: z.string().optional(),
      type: z.string().optional(),
      rope_theta: positive.optional(),
      partial_rotary_factor: wholeHead,
      full_attention: ofOneType,
      sliding_attention: ofOneType,
    }),
  )
  .transform((given) => given as Rule) as never;

/** The keys of {@link RopeSettings} in a schema. */
export const ropeShape: {
  readonly [K in keyof Required<RopeSettings>]: z.ZodType<RopeSettings[K]>;
} = {
  rope_parameters: rule.nullish(),
  rope_scaling: rule.nullish(),
  rope_theta: positive.optional(),
  partial_rotary_factor: wholeHead,
  original_max_position_embeddings: size.optional(),
};

function withoutNull(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}

/** What Phi-3's first releases call `longrope`. */
const oldNames: Readonly<Record<string, string>> = { su: 'longrope' };

/** The rules whose `max_position_embeddings` is the length before they stretch it, unless the original is given. */
const stretching = ['linear', 'dynamic', 'yarn'];

/** The rotary positions of a configuration, and the maximum length that they allow. */
export interface Rope {
  position: RotaryPart;
  maxLength: number;
}

/**
 * Reads the settings of rotary positions as transformers 5 does.
 *
 * The longest sequence is `max_position_embeddings`, and `factor` times the original length where that is more:
 * the original is `original_max_position_embeddings`, or `max_position_embeddings` where it is not given. With
 * `llama3` and `longrope` it is `max_position_embeddings` alone, which those files give stretched.
 *
 * @throws InputError naming the key
 */
export function readRope(settings: RopeSettings, written: number, name: string): Rope {
  const key = notEmpty(settings.rope_scaling) ? 'rope_scaling' : 'rope_parameters';
  const { rope_type, type, rope_theta, partial_rotary_factor: _, ...rest } = settings[key] ?? {};
  const base = (rope_theta as number | undefined) ?? settings.rope_theta ?? 10_000;
  const given = String(rope_type ?? type ?? 'default');
  const kind = oldNames[given] ?? given;
  if (kind === 'default') return { position: { kind: 'rotary', base }, maxLength: written };

  const own = rest.original_max_position_embeddings as number | undefined;
  const top = ['linear', 'dynamic'].includes(kind)
    ? undefined
    : settings.original_max_position_embeddings;
  const original = top ?? own;
  const trained = original ?? written;
  // Without a factor, these stretch from the original length to the one that is written.
  const implied = ['yarn', 'longrope'].includes(kind) ? { factor: written / trained } : {};
  const lengths = original === undefined ? {} : { original_max_position_embeddings: original };
  const scaling = parseWith(
    z.object({ [key]: rotaryScaling }),
    { [key]: { rope_type: kind, ...implied, ...rest, ...lengths } },
    name,
  )[key] as Exclude<RotaryScaling, { rope_type: 'default' }>;
  const stretched = stretching.includes(kind) ? Math.floor(trained * scaling.factor) : 0;
  const maxLength = Math.max(written, stretched);
  return { position: { kind: 'rotary', base, scaling, trainedLength: written }, maxLength };
}

const notEmpty = (rule: Rule | null | undefined): boolean =>
  rule != null && Object.keys(rule).length > 0;

/** @throws InputError where a rule's list has not one entry for each pair of channels */
export function checkRope({ position }: Rope, headDim: number, name: string): void {
  const { scaling } = position;
  if (scaling?.rope_type !== 'longrope') return;
  for (const key of ['short_factor', 'long_factor'] as const) {
    if (scaling[key].length === headDim / 2) continue;
    throw new InputError(
      `${name}: '${key}' has ${scaling[key].length} entries; expected one for each of ${headDim / 2} pairs of channels`,
    );
  }
}
