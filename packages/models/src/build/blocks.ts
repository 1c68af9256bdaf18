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
import * as tf from '@tensorflow/tfjs';
import { makeAttention, makeCrossAttention } from './attention.js';
import { makeDropout, makeFeedForward, makeNorm } from './layers.js';
import { makeOwn } from './make-own.js';
import type { BlockKind, ModelConfiguration } from './model-configuration.js';

/** What a kind of block is made of. */
interface BlockForm {
  readonly Kind: new (parts: BlockParts) => Layer;
  /** How many norms `norm1`, `norm2` it has. */
  readonly norms: 0 | 1 | 2;
  /** Whether norms `mixNorm`, `mlpNorm` are of what its parts give; default no. */
  readonly outputNorms?: boolean | undefined;
}

const blocks: { readonly [K in BlockKind]: BlockForm } = {
  'pre-norm': { Kind: PreNormBlock, norms: 2 },
  'post-norm': { Kind: PostNormBlock, norms: 2 },
  'sandwich-norm': { Kind: PreNormBlock, norms: 2, outputNorms: true },
  'output-norm': { Kind: PreNormBlock, norms: 0, outputNorms: true },
  'normed-stream': { Kind: NormedStreamBlock, norms: 2 },
  parallel: { Kind: ParallelBlock, norms: 1 },
  'parallel-two-norms': { Kind: ParallelBlock, norms: 2 },
};

type CrossBlockKind = new (parts: CrossBlockParts) => CrossBlock;

/** The blocks of an encoder-decoder's decoder; the others have no part for cross-attention. */
const crossBlocks: { readonly [K in BlockKind]: CrossBlockKind | undefined } = {
  'pre-norm': PreNormCrossBlock,
  'post-norm': PostNormCrossBlock,
  'sandwich-norm': undefined,
  'output-norm': undefined,
  'normed-stream': undefined,
  parallel: undefined,
  'parallel-two-norms': undefined,
};

const asItIs: Layer = { forward: (x) => x };

/** A part whose output is normalised, multiplied and dropped, as far as it is asked for: `dropout(scale · norm(part(x)))`. */
function outputOf(
  part: Layer,
  {
    norm,
    scale = 1,
    dropout,
  }: { norm: Layer | undefined; scale: number | undefined; dropout: Layer | undefined },
): Layer {
  if (!norm && scale === 1 && !dropout) return part;
  return {
    path: part.path,
    forward: (x, ctx) =>
      tf.tidy(() => {
        const y = part.forward(x, ctx);
        const normed = norm?.forward(y, ctx) ?? y;
        const scaled = scale === 1 ? normed : normed.mul(scale);
        return dropout?.forward(scaled, ctx) ?? scaled;
      }),
  };
}

/** The parts of one block; without a second norm where both parts read one norm's output. */
function blockParts(
  params: ParamStore,
  config: ModelConfiguration,
  layer: number,
  positionOf: PositionOf,
): BlockParts {
  const { block } = config;
  const { norms, outputNorms = false } = typeof block === 'string' ? blocks[block] : { norms: 2 };
  const plain = norms === 0 || (layer === 0 && config.firstNorm === false);
  const norm = plain ? asItIs : makeNorm(params.at('norm1'), config);
  const attn = params.at('attn');
  const position = positionOf(attn.at('position'), layer, attn);
  // A memory of segments keeps the stream itself, so that its norm learns from all tokens.
  const within = config.position.kind === 'transformer-xl' && config.block !== 'post-norm';
  const given = { position, norm: within ? norm : undefined };
  const { dropout } = config;
  const own = typeof dropout === 'object' ? dropout : undefined;
  const after = (part: Layer, name: string, rate: number | undefined) =>
    outputOf(part, {
      norm: outputNorms ? makeNorm(params.at(name), config) : undefined,
      scale: config.residualScale,
      dropout: makeDropout(rate),
    });
  const attention = makeAttention(attn, config, layer, given);
  const mix = after(attention, 'mixNorm', own?.attention);
  const second = () => (norms === 2 ? makeNorm(params.at('norm2'), config) : asItIs);
  const parts: ParallelBlockParts = {
    norm1: within ? asItIs : norm,
    mix,
    norm2: norms === 1 ? undefined : second(),
    mlp: after(makeFeedForward(params.at('mlp'), config, layer), 'mlpNorm', own?.feedForward),
    dropout: typeof dropout === 'object' ? undefined : makeDropout(dropout),
    path: params.place,
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
  if (typeof block === 'string') return new blocks[block].Kind(parts);
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
    cross: makeCrossAttention(params.at('cross'), config, layer),
  };
  if (typeof block !== 'string') {
    return makeOwn('block', params, block, config, { parts }) as CrossBlock;
  }
  const Kind = crossBlocks[block];
  if (Kind) return new Kind(parts);
  throw new InputError(`'block' is "${block}"; an encoder-decoder takes "pre-norm" or "post-norm"`);
}
