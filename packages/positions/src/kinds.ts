import type { EncoderContext, Initializer, ParamStore } from '@headwise/core';
import type { MatrixLayout } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { AlibiPosition, alibiSlopes } from './alibi.js';
import { CountedPosition, CountedSinusoidalPosition } from './counted.js';
import { DisentangledPosition } from './disentangled.js';
import { LearnedPosition } from './learned.js';
import type { PositionParts, RotaryPart, RotaryRule } from './parts.js';
import type { AttentionPosition, InputPosition } from './position.js';
import { RotaryPosition, type RotaryPositionOptions } from './rotary.js';
import { rotaryScaling } from './rotary-scaling-schema.js';
import { ShawPosition } from './shaw.js';
import { SinusoidalPosition, sinusoidalTable } from './sinusoidal.js';
import { T5Position } from './t5.js';
import { TransformerXLPosition } from './transformer-xl.js';

/** The sizes of the stack that a position is made for. */
export interface PositionSizes {
  /** Whether queries see later keys too. */
  bidirectional: boolean;
  /** The longest sequence; null where there is no limit. */
  maxLength: number | null;
  /** `D` */
  dim: number;
  /** `H` */
  heads: number;
  /** `Dh` */
  headDim: number;
  /** Whether projections of queries and keys have biases. */
  bias: boolean;
  /** Of the matrices that it has. */
  layout: MatrixLayout | undefined;
  /** How tables of vectors start. */
  init: Initializer;
}

/** A position that is added to the embeddings, and may read the ids of the tokens. */
export interface TokenPosition {
  /** @param x `[B, T, D]`, embeddings @param ids `[B, T]`, their tokens @returns `[B, T, D]` */
  forward(x: tf.Tensor, ids: tf.Tensor, ctx?: EncoderContext): tf.Tensor;
}

/**
 * Gives an attention layer its position, by where the position's own parameters of that layer lie, by the layer's number, and
 * by where the layer's projections lie.
 */
export type PositionOf = (
  params: ParamStore,
  layer: number,
  attention: ParamStore,
) => AttentionPosition | undefined;

/** A position as the fused decoding step computes it; one of the three, or nothing at all. */
export interface FusedPosition {
  /** `[maxLength, D]`, added to the embeddings: the values, or the name of the parameter that holds them. */
  rows?: Float32Array | string | undefined;
  /** Rows of that parameter before the first position's; default 0. */
  offset?: number | undefined;
  /** Rotations of queries and keys, each for some of the layers. */
  rotations?: readonly RotaryPositionOptions[] | undefined;
  /** Which of the rotations a layer has; default the first. */
  rotationOf?: ((layer: number) => number | undefined) | undefined;
  /** `[H]`: the biases are `−slope · distance`. */
  slopes?: Float32Array | undefined;
}

type MakeInput<Part> = (
  params: ParamStore,
  part: Part,
  sizes: PositionSizes,
) => TokenPosition | undefined;
type MakeAttention<Part> = (params: ParamStore, part: Part, sizes: PositionSizes) => PositionOf;

/** What a model has to know of a kind of position. */
export interface PositionKind<Part extends { kind: string }> {
  /** The settings that a configuration may hold. */
  readonly schema: z.core.$ZodTypeDiscriminable & z.ZodType<Part>;
  /** Settings that fit any model, with which tests build one. */
  readonly example: Part;
  /** Whether it needs the longest sequence. */
  readonly needsLength: boolean;
  /** Whether a decoder gives it the numbers of the tokens that are not padding. */
  readonly countsTokens: boolean;
  /** The topology in which alone it works; default any. */
  readonly only?: 'decoder' | 'encoder' | undefined;
  /** Makes what is added to the embeddings, from the parameters of the position. */
  readonly input?: MakeInput<Part> | undefined;
  /** Makes what acts within attention, from the parameters that all layers share. */
  readonly attention?: MakeAttention<Part> | undefined;
  /** Its form in the fused decoding step; undefined where it has none. */
  fused(part: Part, sizes: PositionSizes): FusedPosition | undefined;
}

const size = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);
const count = z.number().int().min(0);
// A table holds a number for each distance.
const tableSize = size.max(2 ** 20);
const t5Shape = { buckets: size, maxDistance: tableSize };

const rotaryRule = {
  base: z.number().positive().optional(),
  scaling: rotaryScaling.optional(),
  trainedLength: size.optional(),
};

/** Every kind of position by its name: the settings, the layer that it makes, and its form in the fused step. */
export const positionKinds: {
  readonly [K in keyof PositionParts]: PositionKind<PositionParts[K]>;
} = {
  none: {
    schema: z.strictObject({ kind: z.literal('none') }),
    example: { kind: 'none' },
    needsLength: false,
    countsTokens: false,
    fused: () => ({}),
  },
  learned: {
    schema: z.strictObject({
      kind: z.literal('learned'),
      offset: count.optional(),
      padId: count.optional(),
      relative: z.strictObject(t5Shape).optional(),
    }),
    example: { kind: 'learned' },
    needsLength: true,
    countsTokens: true,
    input(params, { offset, padId }, { dim, init, ...sizes }) {
      const options = { maxLength: lengthOf(sizes), dim, init };
      return padId === undefined
        ? withoutIds(new LearnedPosition(params, { ...options, offset }))
        : new CountedPosition(params, { ...options, padId });
    },
    attention(params, { relative }, { heads, bidirectional }) {
      if (!relative) return () => undefined;
      return shared(new T5Position(params.at('relative'), { heads, ...relative, bidirectional }));
    },
    fused: ({ offset, padId, relative }) =>
      padId === undefined && !relative ? { rows: 'weight', offset } : undefined,
  },
  sinusoidal: {
    schema: z.strictObject({
      kind: z.literal('sinusoidal'),
      layout: z.enum(['interleaved', 'halves']).optional(),
      inclusive: z.boolean().optional(),
      padId: count.optional(),
    }),
    example: { kind: 'sinusoidal' },
    needsLength: true,
    countsTokens: true,
    input(_, { layout, inclusive, padId }, { dim, ...sizes }) {
      const options = { maxLength: lengthOf(sizes), dim, layout, inclusive };
      return padId === undefined
        ? withoutIds(new SinusoidalPosition(options))
        : new CountedSinusoidalPosition({ ...options, padId });
    },
    fused({ padId, ...options }, { dim, ...sizes }) {
      if (padId !== undefined) return undefined;
      return { rows: sinusoidalTable(lengthOf(sizes), dim, options) };
    },
  },
  rotary: {
    schema: z.strictObject({
      kind: z.literal('rotary'),
      ...rotaryRule,
      rotaryDim: size.optional(),
      layout: z.enum(['half-split', 'interleaved']).optional(),
      local: z.strictObject(rotaryRule).optional(),
      layers: z.array(z.enum(['global', 'local', 'none'])).optional(),
    }),
    example: { kind: 'rotary', scaling: { rope_type: 'linear', factor: 2 } },
    needsLength: false,
    countsTokens: true,
    attention(_, part, sizes) {
      const made = rotations(part, sizes).map((options) => new RotaryPosition(options));
      return (_params, layer) => made[rotationOf(part, layer) ?? made.length];
    },
    fused: (part, sizes) => ({
      rotations: rotations(part, sizes),
      rotationOf: (layer) => rotationOf(part, layer),
    }),
  },
  alibi: {
    schema: z.strictObject({
      kind: z.literal('alibi'),
      factor: z.number().optional(),
      rounding: z.literal('bfloat16').optional(),
    }),
    example: { kind: 'alibi' },
    needsLength: false,
    countsTokens: false,
    attention: (_, { factor, rounding }, { heads }) =>
      shared(new AlibiPosition({ heads, factor, rounding })),
    fused({ factor = 1, rounding }, { heads }) {
      if (rounding !== undefined) return undefined;
      return { slopes: alibiSlopes(heads).map((slope) => factor * slope) };
    },
  },
  t5: {
    schema: z.strictObject({ kind: z.literal('t5'), ...t5Shape, perLayer: z.boolean().optional() }),
    example: { kind: 't5', buckets: 8, maxDistance: 16 },
    needsLength: false,
    countsTokens: false,
    attention(params, { buckets, maxDistance, perLayer }, { heads, bidirectional }) {
      const options = { heads, buckets, maxDistance, bidirectional };
      return perLayer
        ? (layer) => new T5Position(layer, options)
        : shared(new T5Position(params, options));
    },
    fused: () => undefined,
  },
  shaw: {
    schema: z.strictObject({ kind: z.literal('shaw'), clip: size }),
    example: { kind: 'shaw', clip: 3 },
    needsLength: false,
    countsTokens: false,
    attention: (params, { clip }, { headDim }) =>
      shared(new ShawPosition(params, { headDim, clip })),
    fused: () => undefined,
  },
  'transformer-xl': {
    schema: z.strictObject({
      kind: z.literal('transformer-xl'),
      maxDistance: size.optional(),
      sharedBiases: z.boolean().optional(),
    }),
    example: { kind: 'transformer-xl' },
    needsLength: false,
    countsTokens: false,
    only: 'decoder',
    attention(params, { maxDistance, sharedBiases }, { dim, heads, headDim, layout }) {
      const biases = sharedBiases ? params : undefined;
      const options = { dim, heads, headDim, maxDistance, layout, biases };
      return (layer) => new TransformerXLPosition(layer, options);
    },
    fused: () => undefined,
  },
  disentangled: {
    schema: z.strictObject({
      kind: z.literal('disentangled'),
      span: tableSize,
      maxDistance: size.optional(),
      terms: z.array(z.enum(['content-to-position', 'position-to-content'])).min(1),
      sharedProjections: z.boolean().optional(),
      normEpsilon: z.number().positive().optional(),
      dropout: z.number().min(0).lt(1).optional(),
      absolute: z.boolean().optional(),
    }),
    example: { kind: 'disentangled', span: 4, terms: ['content-to-position'] },
    needsLength: false,
    countsTokens: false,
    only: 'encoder',
    input(params, { absolute }, { dim, init, ...sizes }) {
      if (!absolute) return undefined;
      const options = { maxLength: lengthOf(sizes), dim, init };
      return withoutIds(new LearnedPosition(params.at('absolute'), options));
    },
    attention(params, { sharedProjections, ...part }, sizes) {
      const options = { ...sizes, ...part };
      return (own, _layer, attention) =>
        new DisentangledPosition(params, own, {
          ...options,
          attention: sharedProjections ? attention : undefined,
        });
    },
    fused: () => undefined,
  },
};

/** The same position for every layer. */
const shared =
  (position: AttentionPosition): PositionOf =>
  () =>
    position;

const withoutIds = (position: InputPosition): TokenPosition => ({
  forward: (x, _ids, ctx) => position.forward(x, ctx),
});

/** The rotations of the global rule, and of the local one where there is one. */
function rotations(part: RotaryPart, sizes: PositionSizes): RotaryPositionOptions[] {
  const { rotaryDim, layout, local } = part;
  const { headDim, maxLength } = sizes;
  const of = ({ base, scaling, trainedLength }: RotaryRule): RotaryPositionOptions => ({
    headDim,
    rotaryDim,
    layout,
    maxLength: trainedLength ?? maxLength ?? undefined,
    base,
    scaling,
  });
  return local ? [of(part), of(local)] : [of(part)];
}

/** The number of a layer's rotation; undefined for a layer without positions. */
const rotationOf = ({ layers }: RotaryPart, layer: number): number | undefined =>
  ({ global: 0, local: 1, none: undefined })[layers?.[layer] ?? 'global'];

/** The longest sequence; a configuration without one is refused where a position needs it. */
const lengthOf = ({ maxLength }: Pick<PositionSizes, 'maxLength'>): number => maxLength as number;
