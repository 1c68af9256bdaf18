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
  /** The part of a head's channels that turn. */
  partial_rotary_factor?: number | undefined;
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

const partOfHead = positive.max(1).optional();

/** A rule as it is written, in every place that a release has written it. */
const ruleWith = (partial: z.ZodType): z.ZodType<Rule> =>
  z
    .preprocess(
      withoutNull,
      z.looseObject({
        rope_type: z.string().optional(),
        type: z.string().optional(),
        rope_theta: positive.optional(),
        partial_rotary_factor: partial,
        full_attention: ofOneType,
        sliding_attention: ofOneType,
      }),
    )
    .transform((given) => given as Rule) as never;

type RopeShape = { readonly [K in keyof Required<RopeSettings>]: z.ZodType<RopeSettings[K]> };

const shapeWith = (partial: z.ZodType<number | undefined>): RopeShape => ({
  rope_parameters: ruleWith(partial).nullish(),
  rope_scaling: ruleWith(partial).nullish(),
  rope_theta: positive.optional(),
  partial_rotary_factor: partial,
  original_max_position_embeddings: size.optional(),
});

/** The keys of {@link RopeSettings} in a schema, of a family whose heads turn whole. */
export const ropeShape: RopeShape = shapeWith(wholeHead);

/** The keys of {@link RopeSettings} in a schema, of a family whose heads may turn in part. */
export const partialRopeShape: RopeShape = shapeWith(partOfHead);

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
  /** The part of a head's channels that turn. */
  partial: number;
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
  const {
    rope_type,
    type,
    rope_theta,
    partial_rotary_factor: inside,
    ...rest
  } = settings[key] ?? {};
  const partial = (inside as number | undefined) ?? settings.partial_rotary_factor ?? 1;
  const base = (rope_theta as number | undefined) ?? settings.rope_theta ?? 10_000;
  const given = String(rope_type ?? type ?? 'default');
  const kind = oldNames[given] ?? given;
  if (kind === 'default') {
    return { position: { kind: 'rotary', base }, maxLength: written, partial };
  }

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
  return {
    position: { kind: 'rotary', base, scaling, trainedLength: written },
    maxLength,
    partial,
  };
}

const notEmpty = (rule: Rule | null | undefined): boolean =>
  rule != null && Object.keys(rule).length > 0;

/** @throws InputError where a rule's list has not one entry for each pair of channels */
export function checkRope({ position, partial }: Rope, headDim: number, name: string): void {
  const { scaling } = position;
  if (scaling?.rope_type !== 'longrope') return;
  const pairs = Math.floor(headDim * partial) / 2;
  for (const key of ['short_factor', 'long_factor'] as const) {
    if (scaling[key].length === pairs) continue;
    throw new InputError(
      `${name}: '${key}' has ${scaling[key].length} entries; expected one for each of ${pairs} pairs of channels`,
    );
  }
}

/**
 * Rotary positions that turn only the first `⌊Dh · partial⌋` channels of each head.
 *
 * @throws InputError for an odd number of channels
 */
export function partialPosition(
  { position, partial }: Rope,
  headDim: number,
  name: string,
): RotaryPart {
  if (partial === 1) return position;
  const rotaryDim = Math.floor(headDim * partial);
  if (rotaryDim > 0 && rotaryDim % 2 === 0) return { ...position, rotaryDim };
  throw new InputError(
    `${name}: 'partial_rotary_factor' is ${partial}, ${rotaryDim} of ${headDim} channels; expected an even number of them`,
  );
}

/** The settings of rotary positions by type of layer; before version 5, of `rope_theta`, `rope_scaling` and `rope_local_base_freq`. */
export interface LayeredRopeSettings {
  rope_parameters?:
    | { full_attention?: Rule | null | undefined; sliding_attention?: Rule | null | undefined }
    | null
    | undefined;
  /** Of layers that see all tokens, above their rule in `rope_parameters`. */
  rope_scaling?: Rule | null | undefined;
  /** Of layers that see all tokens, where their rule has none. */
  rope_theta?: number | undefined;
  /** Of layers with a window, where their rule has none. */
  rope_local_base_freq?: number | undefined;
}

/** The keys of {@link LayeredRopeSettings} in a schema. */
export const layeredRopeShape: {
  readonly [K in keyof Required<LayeredRopeSettings>]: z.ZodType<LayeredRopeSettings[K]>;
} = {
  rope_parameters: z
    .strictObject(
      {
        full_attention: ruleWith(wholeHead).nullish(),
        sliding_attention: ruleWith(wholeHead).nullish(),
      },
      { error: 'expected rules named full_attention and sliding_attention' },
    )
    .nullish(),
  rope_scaling: ruleWith(wholeHead).nullish(),
  rope_theta: positive.optional(),
  rope_local_base_freq: positive.optional(),
};

/**
 * Reads the settings of rotary positions that layers with a window have otherwise than the rest.
 *
 * @param bases of layers that see all tokens and of those with a window, where none is given
 * @param isLocal whether each layer has a window
 */
export function readLayeredRope(
  settings: LayeredRopeSettings,
  written: number,
  {
    bases,
    isLocal,
    name,
  }: { bases: { global: number; local: number }; isLocal: readonly boolean[]; name: string },
): Rope {
  const { rope_parameters: rules, rope_scaling, rope_theta, rope_local_base_freq } = settings;
  const read = (rule: Rule | null | undefined, base: number) =>
    readRope({ rope_parameters: rule, rope_theta: base }, written, name);
  const global = read({ ...rules?.full_attention, ...rope_scaling }, rope_theta ?? bases.global);
  const windowed = read(rules?.sliding_attention, rope_local_base_freq ?? bases.local);
  const { kind: _, ...local } = windowed.position;
  const layers = isLocal.map((has) => (has ? 'local' : 'global'));
  // Files give the length after stretching.
  return { ...global, maxLength: written, position: { ...global.position, local, layers } };
}
