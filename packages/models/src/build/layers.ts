import type { Layer, ParamStore } from '@headwise/core';
import {
  Dropout,
  Experts,
  FeedForward,
  GatedFeedForward,
  LayerNorm,
  RMSNorm,
} from '@headwise/layers';
import { initializersOf } from './initializers.js';
import { makeOwn } from './make-own.js';
import type {
  ExpertsPart,
  FeedForwardPart,
  ModelConfiguration,
  NamedFeedForward,
  NormPart,
  OfKind,
} from './model-configuration.js';

/** Makes a layer for each kind of a part; the compiler asks for every kind. */
type Makers<Part extends { kind: string }> = {
  readonly [K in Part['kind']]: (
    params: ParamStore,
    part: OfKind<Part, K>,
    config: ModelConfiguration,
  ) => Layer;
};

const norms: Makers<NormPart> = {
  layer: (params, { kind: _, ...part }, { dim }) => new LayerNorm(params, { dim, ...part }),
  rms: (params, { kind: _, ...part }, { dim }) => new RMSNorm(params, { dim, ...part }),
  own: (params, part, config) => makeOwn('norm', params, part, config),
};

/**
 * The norm that a configuration names.
 *
 * @param dim the channels that it normalises; default the model width
 */
export function makeNorm(
  params: ParamStore,
  given: ModelConfiguration,
  dim: number = given.dim,
): Layer {
  const { norm } = given;
  const config = { ...given, dim };
  return (norms[norm.kind] as Makers<NormPart>['own'])(params, norm as never, config);
}

/** A dropout layer; undefined at a rate of 0, so that attention stays fused. */
export const makeDropout = (rate = 0): Dropout | undefined =>
  rate > 0 ? new Dropout({ rate }) : undefined;

const feedForwards: Makers<FeedForwardPart> = {
  plain: (params, part, config) => new FeedForward(params, feedForwardOptions(part, config)),
  gated: (params, part, config) => new GatedFeedForward(params, feedForwardOptions(part, config)),
  experts: makeExperts,
  own: (params, part, config) => makeOwn('feedForward', params, part, config),
};

function makeExperts(params: ParamStore, part: ExpertsPart, config: ModelConfiguration): Layer {
  const { kind: _, count, dense: __, balance: ___, ...options } = part;
  const { matrix, residual } = initializersOf(config);
  const init = { init: matrix(config.dim), outInit: residual(part.hidden) };
  return new Experts(params, { dim: config.dim, experts: count, ...options, ...init });
}

function feedForwardOptions(part: NamedFeedForward, config: ModelConfiguration) {
  const { dim, layout } = config;
  const { kind: _, hidden = 4 * dim, dropout, ...options } = part;
  const { matrix, residual } = initializersOf(config);
  return {
    dim,
    hidden,
    layout,
    ...options,
    dropout: makeDropout(dropout),
    init: matrix(dim),
    outInit: residual(hidden),
  };
}

/** The feed-forward layer that a layer of a mixture of experts has instead of them; undefined where it has them. */
export function denseInstead(
  { feedForward: part }: ModelConfiguration,
  layer: number,
): NamedFeedForward | undefined {
  if (part.kind !== 'experts' || !part.dense?.layers.includes(layer)) return undefined;
  const { activation = 'silu', dense } = part;
  return { kind: 'gated', hidden: dense.hidden, activation };
}

/** The feed-forward layer that a configuration names for a layer. */
export function makeFeedForward(
  params: ParamStore,
  config: ModelConfiguration,
  layer: number,
): Layer {
  const part = denseInstead(config, layer) ?? config.feedForward;
  const make = feedForwards[part.kind] as Makers<FeedForwardPart>['own'];
  return make(params, part as never, config);
}
