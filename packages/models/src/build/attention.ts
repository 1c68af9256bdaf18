import {
  type AttentionLayerOptions,
  additiveScore,
  CrossAttention,
  dotProductScore,
  FusedProjection,
  generalScore,
  KeyValueProjection,
  type Mask,
  MultiHeadAttention,
  masks,
  type ScoreKind,
  SeparateProjection,
  scaledDotProductScore,
  softCapMod,
} from '@headwise/attention';
import type { Layer, ParamStore } from '@headwise/core';
import type { AttentionPosition } from '@headwise/positions';
import { initializersOf } from './initializers.js';
import { makeDropout, makeNorm } from './layers.js';
import { makeOwn } from './make-own.js';
import type { ModelConfiguration, OfKind, ScorePart } from './model-configuration.js';

/** Self-attention of one layer: causal, except in encoders. */
export function makeAttention(
  params: ParamStore,
  config: ModelConfiguration,
  layer: number,
  { position, norm }: { position: AttentionPosition | undefined; norm?: Layer | undefined },
): Layer {
  const options = attentionOptions(config, layer);
  const own = (config.mods ?? []).map((mod, i) =>
    makeOwn('mod', params.at('mods').at(i), mod, config),
  );
  return new MultiHeadAttention(params, {
    ...options,
    mods: [...own, ...options.mods],
    projection: config.heads.projection === 'fused' ? FusedProjection : SeparateProjection,
    mask: maskOf(params, config, layer),
    position,
    norm,
  });
}

/** Attention of the decoder's tokens to the encoder's. */
export const makeCrossAttention = (
  params: ParamStore,
  config: ModelConfiguration,
  layer: number,
): CrossAttention =>
  new CrossAttention(params, {
    ...attentionOptions(config, layer),
    projection: config.heads.projection === 'fused' ? KeyValueProjection : SeparateProjection,
  });

const scores: {
  readonly [K in ScorePart['kind']]: (
    part: OfKind<ScorePart, K>,
    config: ModelConfiguration,
  ) => ScoreKind;
} = {
  'scaled-dot-product': () => scaledDotProductScore,
  'dot-product': () => dotProductScore,
  general: () => generalScore,
  additive: () => additiveScore,
  own: (part, config) => (params) => makeOwn('score', params, part, config),
};

function attentionOptions(config: ModelConfiguration, layer: number) {
  const { heads, dim, layout, init, score = { kind: 'scaled-dot-product' } } = config;
  const { qkv = false, k = qkv, out = false } = heads.bias ?? {};
  const headDim = heads.dim ?? dim / heads.count;
  const { matrix, residual } = initializersOf(config);
  // Scores that are not divided by √Dh start as small as if they were.
  const unscaled = init?.byFanIn && score.kind === 'dot-product';
  const { softCap: cap } = score.kind === 'own' ? {} : score;
  return {
    dim,
    heads: heads.count,
    kvHeads: heads.kv,
    headDim,
    bias: { q: qkv, k, v: qkv, out },
    layout,
    score: scores[score.kind](score as never, config),
    scale: scoreScale(config, layer),
    mods: cap === undefined ? [] : [softCapMod(cap)],
    qkNorm: heads.qkNorm
      ? (store: ParamStore, width: number) =>
          makeNorm(store, { ...config, heads: { ...heads, dim: headDim } }, width)
      : undefined,
    qkNormAcross: heads.qkNorm === 'across-heads',
    dropout: makeDropout(heads.dropout),
    init: matrix(dim),
    queryInit: unscaled ? matrix(dim * headDim) : undefined,
    outInit: residual(heads.count * headDim),
  } satisfies AttentionLayerOptions;
}

/** What products of a layer are multiplied by, where not by what their kind says. */
export function scoreScale(config: ModelConfiguration, layer: number): number | undefined {
  const { heads, dim, score = { kind: 'scaled-dot-product' } } = config;
  if (score.kind === 'own' || !score.byDepth) return score.kind === 'own' ? undefined : score.scale;
  const plain = score.kind === 'dot-product' ? 1 : 1 / Math.sqrt(heads.dim ?? dim / heads.count);
  return (score.scale ?? plain) / (layer + 1);
}

function maskOf(params: ParamStore, config: ModelConfiguration, layer: number): Mask {
  const { heads, topology, mask } = config;
  const seen = topology === 'encoder' ? masks.none : masks.causal;
  const { window = null } = heads;
  const width = (typeof window === 'object' && window ? window[layer] : window) as number | null;
  const all = [
    seen,
    ...(width == null ? [] : [masks.slidingWindow(width)]),
    ...(mask ? [makeOwn('mask', params.at('mask'), mask, config)] : []),
  ];
  return all.reduce((sum, next) => masks.and(sum, next));
}
