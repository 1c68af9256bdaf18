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
import { initializers } from './initializers.js';
import type { ModelConfiguration, OfKind, PositionPart } from './model-configuration.js';
import { makeOwn } from './own-parts.js';

/** A position that is added to the embeddings. */
export interface TokenPosition {
  /** @param x `[B, T, D]`, embeddings @param ids `[B, T]`, their tokens @returns `[B, T, D]` */
  forward(x: tf.Tensor, ids: tf.Tensor, ctx?: EncoderContext): tf.Tensor;
}

/** Gives a layer its position, from the place of its own parameters. */
export type PositionOf = (layer: ParamStore) => AttentionPosition | undefined;

/** What a kind of position makes: an addend of the embeddings, or a part of every attention layer. */
interface PositionMaker<Part> {
  /** @param params of the position */
  input?(params: ParamStore, part: Part, config: ModelConfiguration): TokenPosition | undefined;
  /** @param params of what all layers share */
  attention?(params: ParamStore, part: Part, config: ModelConfiguration): PositionOf;
}

const makers: {
  readonly [K in PositionPart['kind']]: PositionMaker<OfKind<PositionPart, K>>;
} = {
  none: {},
  learned: {
    input(params, { offset, padId }, config) {
      if (padId !== undefined) return countedAfterPadding(params, padId, config);
      const { dim } = config;
      const { table: init } = initializers(config);
      const options = { maxLength: lengthOf(config), dim, offset, init };
      return withoutIds(new LearnedPosition(params, options));
    },
  },
  sinusoidal: {
    input: (_, { layout }, config) =>
      withoutIds(new SinusoidalPosition({ maxLength: lengthOf(config), dim: config.dim, layout })),
  },
  rotary: {
    attention(_, { kind, trainedLength, ...options }, config) {
      const maxLength = trainedLength ?? config.maxLength ?? undefined;
      return shared(new RotaryPosition({ dim: headDim(config), maxLength, ...options }));
    },
  },
  alibi: {
    attention: (_, { factor, rounding }, { heads }) =>
      shared(new AlibiPosition({ heads: heads.count, factor, rounding })),
  },
  t5: {
    attention(params, { buckets, maxDistance }, { heads, topology }) {
      const bidirectional = topology === 'encoder';
      const options = { heads: heads.count, buckets, maxDistance, bidirectional };
      return shared(new T5Position(params, options));
    },
  },
  shaw: {
    attention: (params, { clip }, config) =>
      shared(new ShawPosition(params, { headDim: headDim(config), clip })),
  },
  'transformer-xl': {
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

const makerOf = ({ position }: ModelConfiguration): PositionMaker<PositionPart> =>
  makers[position.kind] as PositionMaker<PositionPart>;

/** The position that is added to the embeddings, where the configuration names one. */
export const makeInputPosition = (
  params: ParamStore,
  config: ModelConfiguration,
): TokenPosition | undefined => makerOf(config).input?.(params, config.position, config);

/**
 * The position that acts within attention, where the configuration names one: shared by all layers, or one for each.
 *
 * @param params of what all layers share
 */
export const makeAttentionPosition = (params: ParamStore, config: ModelConfiguration): PositionOf =>
  makerOf(config).attention?.(params, config.position, config) ?? (() => undefined);

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
  const { table: init } = initializers(config);
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
