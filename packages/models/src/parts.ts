import {
  additive,
  and,
  causal,
  dotProduct,
  FusedProjection,
  general,
  type Mask,
  MultiHeadAttention,
  SeparateProjection,
  scaledDotProduct,
  slidingWindow,
  softCap,
} from '@headwise/attention';
import { type Initializer, type Layer, normal, type ParamStore } from '@headwise/core';
import { Dropout, FeedForward, GatedFeedForward, LayerNorm, RMSNorm } from '@headwise/layers';
import {
  AlibiPosition,
  type AttentionPosition,
  type InputPosition,
  LearnedPosition,
  RotaryPosition,
  ShawPosition,
  SinusoidalPosition,
  T5Position,
} from '@headwise/positions';
import {
  NormedStreamBlock,
  ParallelBlock,
  PostNormBlock,
  PreNormBlock,
} from '@headwise/transformer';
import type { ModelConfiguration } from './configuration.js';

/** The norm that a configuration names, over its model width. */
export function makeNorm(params: ParamStore, { norm, dim }: ModelConfiguration): Layer {
  const { kind, ...options } = norm;
  const Norm = { layer: LayerNorm, rms: RMSNorm }[kind];
  return new Norm(params, { dim, ...options });
}

/** The dropout of a rate; none where nothing is dropped, so that attention stays fused. */
export const makeDropout = (rate = 0): Dropout | undefined =>
  rate > 0 ? new Dropout({ rate }) : undefined;

/** How matrices start: all of them, and those whose product is added to the residual stream. */
export function initializers({ init = {}, layers }: ModelConfiguration): {
  init: Initializer;
  outInit: Initializer;
} {
  const { std = 0.02, byDepth = false } = init;
  // What is added to the residual stream starts smaller the deeper the model is.
  return { init: normal(std), outInit: normal(byDepth ? std / Math.sqrt(2 * layers) : std) };
}

/** The feed-forward layer that a configuration names. */
export function makeFeedForward(params: ParamStore, config: ModelConfiguration): Layer {
  const { kind, hidden = 4 * config.dim, ...options } = config.feedForward;
  const Kind = { plain: FeedForward, gated: GatedFeedForward }[kind];
  const { dim, layout } = config;
  return new Kind(params, { dim, hidden, layout, ...options, ...initializers(config) });
}

/** The position that is added to the embeddings, if it is one of those. */
export function makeInputPosition(
  params: ParamStore,
  { position, dim, maxLength }: ModelConfiguration,
): InputPosition | undefined {
  switch (position.kind) {
    case 'learned':
      return new LearnedPosition(params, { maxLength, dim });
    case 'sinusoidal':
      return new SinusoidalPosition({ maxLength, dim });
    default:
      return undefined;
  }
}

/** The position that acts within attention, if it is one of those; one for all layers. */
export function makeAttentionPosition(
  params: ParamStore,
  config: ModelConfiguration,
): AttentionPosition | undefined {
  const { position, maxLength } = config;
  const heads = config.heads.count;
  switch (position.kind) {
    case 'rotary': {
      const { kind: _, trainedLength = maxLength, ...options } = position;
      return new RotaryPosition({ dim: headDim(config), maxLength: trainedLength, ...options });
    }
    case 'alibi':
      return new AlibiPosition({ heads, factor: position.factor });
    case 't5': {
      const { buckets, maxDistance } = position;
      return new T5Position(params, { heads, buckets, maxDistance, bidirectional: false });
    }
    case 'shaw':
      return new ShawPosition(params, { headDim: headDim(config), clip: position.clip });
    default:
      return undefined;
  }
}

/** `Dh` */
export const headDim = ({ heads, dim }: ModelConfiguration): number =>
  heads.dim ?? dim / heads.count;

const scores = {
  'scaled-dot-product': scaledDotProduct,
  'dot-product': dotProduct,
  general,
  additive,
};

/** Causal self-attention of one layer. */
export function makeAttention(
  params: ParamStore,
  config: ModelConfiguration,
  layer: number,
  position: AttentionPosition | undefined,
): Layer {
  const { heads, dim, layout, score = { kind: 'scaled-dot-product' } } = config;
  const { bias = { qkv: false, out: false } } = heads;
  return new MultiHeadAttention(params, {
    dim,
    heads: heads.count,
    kvHeads: heads.kv,
    headDim: heads.dim,
    bias: { q: bias.qkv, k: bias.qkv, v: bias.qkv, out: bias.out },
    layout,
    projection: heads.projection === 'fused' ? FusedProjection : SeparateProjection,
    mask: maskOf(config, layer),
    position,
    score: scores[score.kind],
    scale: score.scale,
    mods: score.softCap === undefined ? [] : [softCap(score.softCap)],
    dropout: makeDropout(heads.dropout),
    ...initializers(config),
  });
}

function maskOf({ heads }: ModelConfiguration, layer: number): Mask {
  const { window = null } = heads;
  const width = typeof window === 'object' && window ? window[layer] : window;
  return width == null ? causal : and(causal, slidingWindow(width as number));
}

const blocks = {
  'pre-norm': PreNormBlock,
  'post-norm': PostNormBlock,
  'normed-stream': NormedStreamBlock,
  'parallel-two-norms': ParallelBlock,
};

/** One block of a decoder. */
export function makeBlock(
  params: ParamStore,
  config: ModelConfiguration,
  layer: number,
  position: AttentionPosition | undefined,
): Layer {
  const norm1 = makeNorm(params.at('norm1'), config);
  const mix = makeAttention(params.at('attn'), config, layer, position);
  const more = { dropout: makeDropout(config.dropout), path: params.path };
  if (config.block === 'parallel') {
    return new ParallelBlock({
      norm1,
      mix,
      mlp: makeFeedForward(params.at('mlp'), config),
      ...more,
    });
  }
  const norm2 = makeNorm(params.at('norm2'), config);
  const mlp = makeFeedForward(params.at('mlp'), config);
  return new blocks[config.block]({ norm1, mix, norm2, mlp, ...more });
}
