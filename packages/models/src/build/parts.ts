import {
  type AttentionLayerOptions,
  additive,
  and,
  CrossAttention,
  causal,
  dotProduct,
  FusedProjection,
  general,
  type Mask,
  MultiHeadAttention,
  none,
  SeparateProjection,
  scaledDotProduct,
  slidingWindow,
  softCap,
} from '@headwise/attention';
import { type Initializer, type Layer, normal, type ParamStore } from '@headwise/core';
import { Dropout, FeedForward, GatedFeedForward, LayerNorm, RMSNorm } from '@headwise/layers';
import type { AttentionPosition } from '@headwise/positions';
import {
  type BlockParts,
  NormedStreamBlock,
  ParallelBlock,
  type ParallelBlockParts,
  PostNormBlock,
  PreNormBlock,
} from '@headwise/transformer';
import type { ModelConfiguration } from './model-configuration.js';

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

const scores = {
  'scaled-dot-product': scaledDotProduct,
  'dot-product': dotProduct,
  general,
  additive,
};

/** Self-attention of one layer: causal, but in encoders. */
export function makeAttention(
  params: ParamStore,
  config: ModelConfiguration,
  layer: number,
  { position, norm }: { position: AttentionPosition | undefined; norm?: Layer | undefined },
): Layer {
  return new MultiHeadAttention(params, {
    ...attentionOptions(config),
    projection: config.heads.projection === 'fused' ? FusedProjection : SeparateProjection,
    mask: maskOf(config, layer),
    position,
    norm,
  });
}

/** Attention to what an encoder gave. */
export const makeCrossAttention = (
  params: ParamStore,
  config: ModelConfiguration,
): CrossAttention => new CrossAttention(params, attentionOptions(config));

function attentionOptions(config: ModelConfiguration): AttentionLayerOptions {
  const { heads, dim, layout, score = { kind: 'scaled-dot-product' } } = config;
  const { bias = { qkv: false, out: false } } = heads;
  return {
    dim,
    heads: heads.count,
    kvHeads: heads.kv,
    headDim: heads.dim,
    bias: { q: bias.qkv, k: bias.qkv, v: bias.qkv, out: bias.out },
    layout,
    score: scores[score.kind],
    scale: score.scale,
    mods: score.softCap === undefined ? [] : [softCap(score.softCap)],
    dropout: makeDropout(heads.dropout),
    outInit: initializers(config).outInit,
  };
}

function maskOf({ heads, topology }: ModelConfiguration, layer: number): Mask {
  const seen = topology === 'encoder' ? none : causal;
  const { window = null } = heads;
  const width = typeof window === 'object' && window ? window[layer] : window;
  return width == null ? seen : and(seen, slidingWindow(width as number));
}

const blocks = {
  'pre-norm': PreNormBlock,
  'post-norm': PostNormBlock,
  'normed-stream': NormedStreamBlock,
  'parallel-two-norms': ParallelBlock,
};

const asItIs: Layer = { forward: (x) => x };

/** Gives a layer its position, from the place of its own parameters. */
export type PositionOf = (layer: ParamStore) => AttentionPosition | undefined;

/** The parts of one block; without a second norm where both parts read one norm's output. */
export function makeBlockParts(
  params: ParamStore,
  config: ModelConfiguration,
  layer: number,
  positionOf: PositionOf,
): ParallelBlockParts {
  const norm = makeNorm(params.at('norm1'), config);
  const position = positionOf(params.at('attn').at('position'));
  // A memory of segments keeps the stream itself, so that its norm learns from all tokens.
  const within = config.position.kind === 'transformer-xl' && config.block !== 'post-norm';
  const given = { position, norm: within ? norm : undefined };
  return {
    norm1: within ? asItIs : norm,
    mix: makeAttention(params.at('attn'), config, layer, given),
    norm2: config.block === 'parallel' ? undefined : makeNorm(params.at('norm2'), config),
    mlp: makeFeedForward(params.at('mlp'), config),
    dropout: makeDropout(config.dropout),
    path: params.path,
  };
}

/** One block of a stack. */
export function makeBlock(
  params: ParamStore,
  config: ModelConfiguration,
  layer: number,
  positionOf: PositionOf,
): Layer {
  const parts = makeBlockParts(params, config, layer, positionOf);
  if (config.block === 'parallel') return new ParallelBlock(parts);
  return new blocks[config.block](parts as BlockParts);
}
