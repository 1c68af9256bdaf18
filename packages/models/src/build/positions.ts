import type { EncoderContext, ParamStore } from '@headwise/core';
import { Embedding } from '@headwise/layers';
import {
  AlibiPosition,
  type AttentionPosition,
  checkPositions,
  LearnedPosition,
  positionsAfterPadding,
  RotaryPosition,
  ShawPosition,
  SinusoidalPosition,
  T5Position,
  TransformerXLPosition,
} from '@headwise/positions';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { size } from '../fields.js';
import { initializersOf } from './initializers.js';
import { type KindSchema, oneOf, own } from './kinds.js';
import { makeOwn } from './make-own.js';
import type { ModelConfiguration, OfKind, PositionPart } from './model-configuration.js';
import { rotaryScaling } from './rotary-scaling.js';

const count = z.number().int().min(0);
// A table holds a number for each distance.
const tableSize = size.max(2 ** 20);

/** A position that is added to the embeddings. */
export interface TokenPosition {
  /** @param x `[B, T, D]`, embeddings @param ids `[B, T]`, their tokens @returns `[B, T, D]` */
  forward(x: tf.Tensor, ids: tf.Tensor, ctx?: EncoderContext): tf.Tensor;
}

/** Gives a layer its position, from the place of its own parameters. */
export type PositionOf = (layer: ParamStore) => AttentionPosition | undefined;

/** The properties of a kind of position. */
interface PositionTraits<Part> {
  readonly schema: KindSchema<Part>;
  /** Whether it needs the longest sequence. */
  readonly needsLength: boolean;
  /** Whether a decoder gives it the numbers of the tokens that are not padding. */
  readonly countsTokens: boolean;
  /** Whether the fused decoding step has it. */
  fused(part: Part): boolean;
}

/** @param params of the position */
type MakeInput<Part> = (
  params: ParamStore,
  part: Part,
  config: ModelConfiguration,
) => TokenPosition | undefined;

/** @param params of what all layers share */
type MakeAttention<Part> = (
  params: ParamStore,
  part: Part,
  config: ModelConfiguration,
) => PositionOf;

/** A kind of position: what is added to the embeddings, what every attention layer gets, or either. */
type PositionKind<Part> = PositionTraits<Part> &
  (
    | { input: MakeInput<Part>; attention?: MakeAttention<Part> }
    | { input?: MakeInput<Part>; attention: MakeAttention<Part> }
  );

/** Every kind of position; what a kind lacks here does not compile. */
const kinds: {
  readonly [K in PositionPart['kind']]: PositionKind<OfKind<PositionPart, K>>;
} = {
  none: {
    schema: z.strictObject({ kind: z.literal('none') }),
    needsLength: false,
    countsTokens: false,
    fused: () => true,
    input: () => undefined,
  },
  learned: {
    schema: z.strictObject({
      kind: z.literal('learned'),
      offset: count.optional(),
      padId: count.optional(),
    }),
    needsLength: true,
    countsTokens: true,
    fused: ({ offset = 0 }) => offset === 0,
    input(params, { offset, padId }, config) {
      if (padId !== undefined) return countedAfterPadding(params, padId, config);
      const { dim } = config;
      const { table: init } = initializersOf(config);
      const options = { maxLength: lengthOf(config), dim, offset, init };
      return withoutIds(new LearnedPosition(params, options));
    },
  },
  sinusoidal: {
    schema: z.strictObject({
      kind: z.literal('sinusoidal'),
      layout: z.enum(['interleaved', 'halves']).optional(),
    }),
    needsLength: true,
    countsTokens: true,
    fused: () => true,
    input: (_, { layout }, config) =>
      withoutIds(new SinusoidalPosition({ maxLength: lengthOf(config), dim: config.dim, layout })),
  },
  rotary: {
    schema: z.strictObject({
      kind: z.literal('rotary'),
      base: z.number().positive().optional(),
      scaling: rotaryScaling.optional(),
      trainedLength: size.optional(),
    }),
    needsLength: false,
    countsTokens: true,
    fused: () => true,
    attention(_, { kind, trainedLength, ...options }, config) {
      const maxLength = trainedLength ?? config.maxLength ?? undefined;
      return shared(new RotaryPosition({ dim: headDim(config), maxLength, ...options }));
    },
  },
  alibi: {
    schema: z.strictObject({
      kind: z.literal('alibi'),
      factor: z.number().optional(),
      rounding: z.literal('bfloat16').optional(),
    }),
    needsLength: false,
    countsTokens: false,
    fused: ({ rounding }) => rounding === undefined,
    attention: (_, { factor, rounding }, { heads }) =>
      shared(new AlibiPosition({ heads: heads.count, factor, rounding })),
  },
  t5: {
    schema: z.strictObject({ kind: z.literal('t5'), buckets: size, maxDistance: tableSize }),
    needsLength: false,
    countsTokens: false,
    fused: () => false,
    attention(params, { buckets, maxDistance }, { heads, topology }) {
      const bidirectional = topology === 'encoder';
      const options = { heads: heads.count, buckets, maxDistance, bidirectional };
      return shared(new T5Position(params, options));
    },
  },
  shaw: {
    schema: z.strictObject({ kind: z.literal('shaw'), clip: size }),
    needsLength: false,
    countsTokens: false,
    fused: () => false,
    attention: (params, { clip }, config) =>
      shared(new ShawPosition(params, { headDim: headDim(config), clip })),
  },
  'transformer-xl': {
    schema: z.strictObject({
      kind: z.literal('transformer-xl'),
      maxDistance: size.optional(),
      sharedBiases: z.boolean().optional(),
    }),
    needsLength: false,
    countsTokens: false,
    fused: () => false,
    attention(params, { maxDistance, sharedBiases }, config) {
      const { dim, heads, layout } = config;
      const options = {
        dim,
        heads: heads.count,
        headDim: headDim(config),
        maxDistance,
        layout,
        biases: sharedBiases ? params : undefined,
      };
      return (layer) => new TransformerXLPosition(layer, options);
    },
  },
  own: {
    schema: own,
    needsLength: false,
    countsTokens: false,
    fused: () => false,
    input(params, part, config) {
      const position = makeOwn('position', params, part, config);
      return 'apply' in position ? undefined : withoutIds(position);
    },
    attention(params, part, config) {
      const position = makeOwn('position', params, part, config);
      return shared('apply' in position ? position : undefined);
    },
  },
};

const kindOf = ({ kind }: PositionPart): PositionKind<PositionPart> =>
  kinds[kind] as PositionKind<PositionPart>;

/** A position in a configuration. */
export const positionSchema: z.ZodType<PositionPart> = oneOf<PositionPart>(
  Object.fromEntries(Object.entries(kinds).map(([kind, { schema }]) => [kind, schema])) as never,
);

/** Whether a position needs the longest sequence. */
export const needsLength = (position: PositionPart): boolean => kindOf(position).needsLength;

/** Whether a decoder numbers the tokens that are not padding for a position, where a mask tells padding. */
export const countsTokens = (position: PositionPart): boolean => kindOf(position).countsTokens;

/** Whether the fused decoding step has a position. */
export const isFused = (position: PositionPart): boolean => kindOf(position).fused(position);

/** The position that is added to the embeddings, where the configuration names one. */
export const makeInputPosition = (
  params: ParamStore,
  config: ModelConfiguration,
): TokenPosition | undefined => kindOf(config.position).input?.(params, config.position, config);

/**
 * The position that acts within attention, where the configuration names one: shared by all layers, or one for each.
 *
 * @param params of what all layers share
 */
export const makeAttentionPosition = (params: ParamStore, config: ModelConfiguration): PositionOf =>
  kindOf(config.position).attention?.(params, config.position, config) ?? (() => undefined);

const shared =
  (position: AttentionPosition | undefined): PositionOf =>
  () =>
    position;

const withoutIds = (position: {
  forward(x: tf.Tensor, ctx?: EncoderContext): tf.Tensor;
}): TokenPosition => ({ forward: (x, _ids, ctx) => position.forward(x, ctx) });

/**
 * Learned positions of the tokens that are not padding, counted from the padding's id.
 *
 * @see Liu et al. 2019, https://arxiv.org/abs/1907.11692
 */
function countedAfterPadding(
  params: ParamStore,
  padId: number,
  config: ModelConfiguration,
): TokenPosition {
  const maxLength = lengthOf(config);
  const { table: init } = initializersOf(config);
  const options = { name: 'position', count: maxLength + padId + 1, dim: config.dim, padId, init };
  const table = new Embedding(params, options);
  return {
    forward(x, ids, ctx) {
      checkPositions(0, ids.shape[1]!, maxLength);
      const given = ctx?.positions?.add(tf.scalar(padId + 1, 'int32'));
      return x.add(table.forward(given ?? positionsAfterPadding(ids, padId), ctx));
    },
  };
}

/** The longest sequence; a configuration without one is refused where positions need it. */
const lengthOf = ({ maxLength }: ModelConfiguration): number => maxLength as number;

/** `Dh` */
const headDim = ({ heads, dim }: ModelConfiguration): number => heads.dim ?? dim / heads.count;
