import { InputError, type Layer, type ParamStore } from '@headwise/core';
import type { PositionOf } from '@headwise/positions/internal';
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
import { makeAttention, makeCrossAttention } from './attention.js';
import { makeDropout, makeFeedForward, makeNorm } from './layers.js';
import { makeOwn } from './make-own.js';
import type { BlockKind, ModelConfiguration } from './model-configuration.js';

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
  const { block } = config;
  const parts = blockParts(params, config, layer, positionOf);
  if (typeof block === 'string') return new blocks[block](parts);
  return makeOwn('block', params, block, config, { parts }) as Layer;
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
  const { block } = config;
  const parts = {
    ...blockParts(params, config, layer, positionOf),
    crossNorm: makeNorm(params.at('crossNorm'), config),
    cross: makeCrossAttention(params.at('cross'), config),
  };
  if (typeof block !== 'string') {
    return makeOwn('block', params, block, config, { parts }) as CrossBlock;
  }
  const Kind = crossBlocks[block];
  if (Kind) return new Kind(parts);
  throw new InputError(`'block' is "${block}"; an encoder-decoder takes "pre-norm" or "post-norm"`);
}
