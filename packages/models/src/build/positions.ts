import type { ParamStore } from '@headwise/core';
import {
  type FusedPosition,
  type PositionKind,
  type PositionOf,
  type PositionSizes,
  positionKinds,
  steadyLength,
  type TokenPosition,
} from '@headwise/positions/internal';
import type { z } from 'zod';
import { initializersOf } from './initializers.js';
import { type Kinds, oneOf, own } from './kinds.js';
import { makeOwn } from './make-own.js';
import type { ModelConfiguration, PositionPart } from './model-configuration.js';
import type { OwnPart } from './own-parts.js';

const schemas = Object.fromEntries(
  Object.entries(positionKinds).map(([kind, { schema }]) => [kind, schema]),
);

/** A position in a configuration. */
export const positionSchema: z.ZodType<PositionPart> = oneOf<PositionPart>({
  ...schemas,
  own,
} as unknown as Kinds<PositionPart>);

/** The kind of a position; undefined for a part of one's own. */
const kindOf = ({ kind }: PositionPart): PositionKind<PositionPart> | undefined =>
  kind === 'own' ? undefined : (positionKinds[kind] as never);

/** Whether a position needs the longest sequence. */
export const needsLength = (position: PositionPart): boolean =>
  kindOf(position)?.needsLength ?? false;

/** The topology in which alone a position works; undefined: any. */
export const onlyTopologyOf = (position: PositionPart): 'decoder' | 'encoder' | undefined =>
  kindOf(position)?.only;

/** Whether a decoder numbers the tokens that are not padding for a position, where a mask tells padding. */
export const countsTokens = (position: PositionPart): boolean =>
  kindOf(position)?.countsTokens ?? false;

/** The position as the fused decoding step computes it; undefined where it has no fused form. */
export const fusedPosition = (config: ModelConfiguration): FusedPosition | undefined =>
  kindOf(config.position)?.fused(config.position, sizesOf(config));

/** The tokens of a sequence up to which its keys do not depend on how many tokens follow. */
export function steadyLengthOf(config: ModelConfiguration): number {
  if (config.position.kind !== 'rotary') return Number.POSITIVE_INFINITY;
  const rotations = fusedPosition(config)?.rotations ?? [];
  return Math.min(
    ...rotations.map(({ scaling, maxLength }) => steadyLength(scaling, maxLength)),
    Number.POSITIVE_INFINITY,
  );
}

/** The position that is added to the embeddings, where the configuration names one. */
export function makeInputPosition(
  params: ParamStore,
  config: ModelConfiguration,
): TokenPosition | undefined {
  const { position } = config;
  if (position.kind !== 'own') {
    return kindOf(position)?.input?.(params, position, sizesOf(config));
  }
  const made = makePart(params, position, config);
  return 'apply' in made ? undefined : { forward: (x, _ids, ctx) => made.forward(x, ctx) };
}

/**
 * The position that acts within attention, where the configuration names one: shared by all layers, or one for each.
 *
 * @param params of what all layers share
 */
export function makeAttentionPosition(params: ParamStore, config: ModelConfiguration): PositionOf {
  const { position } = config;
  if (position.kind !== 'own') {
    const make = kindOf(position)?.attention;
    return make?.(params, position, sizesOf(config)) ?? (() => undefined);
  }
  const made = makePart(params, position, config);
  return () => ('apply' in made ? made : undefined);
}

const makePart = (params: ParamStore, part: OwnPart, config: ModelConfiguration) =>
  makeOwn('position', params, part, config);

function sizesOf(config: ModelConfiguration): PositionSizes {
  const { topology, maxLength, dim, heads, layout } = config;
  return {
    bidirectional: topology === 'encoder',
    maxLength,
    dim,
    heads: heads.count,
    headDim: heads.dim ?? dim / heads.count,
    bias: heads.bias?.qkv ?? false,
    layout,
    init: initializersOf(config).table,
  };
}
