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
  type ScoreKind,
  SeparateProjection,
  scaledDotProduct,
  slidingWindow,
  softCap,
} from '@headwise/attention';
import { InputError, type Layer, type ParamStore } from '@headwise/core';
import {
  Dropout,
  FeedForward,
  type FeedForwardOptions,
  GatedFeedForward,
  LayerNorm,
  type NormOptions,
  RMSNorm,
} from '@headwise/layers';
import type { AttentionPosition } from '@headwise/positions';
import {
  type BlockParts,
  type CrossBlock,
  type CrossBlockParts,
  NormedStreamBlock,
  ParallelBlock,
  type ParallelBlockParts,
  PostNormBlock,
  PostNormCrossBlock,
  PreNormBlock,
  PreNormCrossBlock,
} from '@headwise/transformer';
import { initializers } from './initializers.js';
import type {
  BlockKind,
  FeedForwardPart,
  ModelConfiguration,
  NormPart,
  ScorePart,
} from './model-configuration.js';
import type { PositionOf } from './positions.js';

/** A class of layers, to be made with options. */
type LayerKind<Options> = new (params: ParamStore, options: Options) => Layer;

const norms: { readonly [K in NormPart['kind']]: LayerKind<NormOptions> } = {
  layer: LayerNorm,
  rms: RMSNorm,
};

/** The norm that a configuration names, over its model width. */
export function makeNorm(params: ParamStore, { norm, dim }: ModelConfiguration): Layer {
  const { kind, ...options } = norm;
  return new norms[kind](params, { dim, ...options });
}

/** A dropout layer; undefined at a rate of 0, so that attention stays fused. */
export const makeDropout = (rate = 0): Dropout | undefined =>
  rate > 0 ? new Dropout({ rate }) : undefined;

const feedForwards: { readonly [K in FeedForwardPart['kind']]: LayerKind<FeedForwardOptions> } = {
  plain: FeedForward,
  gated: GatedFeedForward,
};

/** The feed-forward layer that a configuration names. */
export function makeFeedForward(params: ParamStore, config: ModelConfiguration): Layer {
  const { dim, layout } = config;
  const { kind, hidden = 4 * dim, dropout, ...options } = config.feedForward;
  const { matrix, residual } = initializers(config);
  return new feedForwards[kind](params, {
    dim,
    hidden,
    layout,
    ...options,
    dropout: makeDropout(dropout),
    init: matrix(dim),
    outInit: residual(hidden),
  });
}

const scores: { readonly [K in ScorePart['kind']]: ScoreKind } = {
  'scaled-dot-product': scaledDotProduct,
  'dot-product': dotProduct,
  general,
  additive,
};

/** Self-attention of one layer: causal, except in encoders. */
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

/** Attention of the decoder's tokens to the encoder's. */
export const makeCrossAttention = (
  params: ParamStore,
  config: ModelConfiguration,
): CrossAttention => new CrossAttention(params, attentionOptions(config));

function attentionOptions(config: ModelConfiguration): AttentionLayerOptions {
  const { heads, dim, layout, init, score = { kind: 'scaled-dot-product' } } = config;
  const { bias = { qkv: false, out: false } } = heads;
  const headDim = heads.dim ?? dim / heads.count;
  const { matrix, residual } = initializers(config);
  // Scores that are not divided by √Dh start as small as if they were.
  const unscaled = init?.byFanIn && score.kind === 'dot-product';
  return {
    dim,
    heads: heads.count,
    kvHeads: heads.kv,
    headDim,
    bias: { q: bias.qkv, k: bias.qkv, v: bias.qkv, out: bias.out },
    layout,
    score: scores[score.kind],
    scale: score.scale,
    mods: score.softCap === undefined ? [] : [softCap(score.softCap)],
    dropout: makeDropout(heads.dropout),
    init: matrix(dim),
    queryInit: unscaled ? matrix(dim * headDim) : undefined,
    outInit: residual(heads.count * headDim),
  };
}

function maskOf({ heads, topology }: ModelConfiguration, layer: number): Mask {
  const seen = topology === 'encoder' ? none : causal;
  const { window = null } = heads;
  const width = typeof window === 'object' && window ? window[layer] : window;
  return width == null ? seen : and(seen, slidingWindow(width as number));
}

const blocks: { readonly [K in BlockKind]: new (parts: BlockParts) => Layer } = {
  'pre-norm': PreNormBlock,
  'post-norm': PostNormBlock,
  'normed-stream': NormedStreamBlock,
  parallel: ParallelBlock,
  'parallel-two-norms': ParallelBlock,
};

type CrossBlockKind = new (parts: CrossBlockParts) => CrossBlock;

/** The blocks of an encoder-decoder's decoder; the others have no part for cross-attention. */
const crossBlocks: { readonly [K in BlockKind]: CrossBlockKind | undefined } = {
  'pre-norm': PreNormCrossBlock,
  'post-norm': PostNormCrossBlock,
  'normed-stream': undefined,
  parallel: undefined,
  'parallel-two-norms': undefined,
};

const asItIs: Layer = { forward: (x) => x };

/** The parts of one block; without a second norm where both parts read one norm's output. */
function blockParts(
  params: ParamStore,
  config: ModelConfiguration,
  layer: number,
  positionOf: PositionOf,
): BlockParts {
  const norm = makeNorm(params.at('norm1'), config);
  const position = positionOf(params.at('attn').at('position'));
  // A memory of segments keeps the stream itself, so that its norm learns from all tokens.
  const within = config.position.kind === 'transformer-xl' && config.block !== 'post-norm';
  const given = { position, norm: within ? norm : undefined };
  const parts: ParallelBlockParts = {
    norm1: within ? asItIs : norm,
    mix: makeAttention(params.at('attn'), config, layer, given),
    norm2: config.block === 'parallel' ? undefined : makeNorm(params.at('norm2'), config),
    mlp: makeFeedForward(params.at('mlp'), config),
    dropout: makeDropout(config.dropout),
    path: params.path,
  };
  return parts as BlockParts;
}

/** One block of a stack. */
export function makeBlock(
  params: ParamStore,
  config: ModelConfiguration,
  layer: number,
  positionOf: PositionOf,
): Layer {
  return new blocks[config.block](blockParts(params, config, layer, positionOf));
}

/**
 * One block of an encoder-decoder's decoder.
 *
 * @throws InputError for a kind that has no part for cross-attention
 */
export function makeCrossBlock(
  params: ParamStore,
  config: ModelConfiguration,
  layer: number,
  positionOf: PositionOf,
): CrossBlock {
  const Kind = crossBlocks[config.block];
  if (!Kind) {
    throw new InputError(
      `'block' is "${config.block}"; an encoder-decoder takes "pre-norm" or "post-norm"`,
    );
  }
  return new Kind({
    ...blockParts(params, config, layer, positionOf),
    crossNorm: makeNorm(params.at('crossNorm'), config),
    cross: makeCrossAttention(params.at('cross'), config),
  });
}
