import type { Layer, ParamStore } from '@headwise/core';
import { Decoder } from '@headwise/transformer';
import { makeBlock } from './blocks.js';
import { makeDropout, makeNorm } from './layers.js';
import type { ModelConfiguration } from './model-configuration.js';
import { makeAttentionPosition } from './positions.js';

/** One block for each layer; layers that share parameters have the same one's. */
export function makeBlocks<Block>(
  params: ParamStore,
  { layers, sharedBlocks = [] }: ModelConfiguration,
  make: (params: ParamStore, layer: number) => Block,
): Block[] {
  return Array.from({ length: layers }, (_, i) =>
    make(params.at('blocks').at(sharedBlocks[i] ?? i, i), i),
  );
}

/** The norm behind the last block, where the configuration has one. */
export function makeLastNorm(params: ParamStore, config: ModelConfiguration): Layer | undefined {
  const { block, finalNorm = block !== 'post-norm' } = config;
  return finalNorm ? makeNorm(params.at('norm'), config) : undefined;
}

/**
 * The blocks of a stack without cross-attention, its last norm and dropout.
 *
 * Parameters: `blocks.0` …, `norm` and those of positions within attention, `positions`.
 */
export function makeStack(params: ParamStore, config: ModelConfiguration): Layer {
  const positionOf = makeAttentionPosition(params.at('positions'), config);
  const stack = new Decoder({
    blocks: makeBlocks(params, config, (p, i) => makeBlock(p, config, i, positionOf)),
    norm: makeLastNorm(params, config),
  });
  const dropout = makeDropout(config.finalDropout);
  if (!dropout) return stack;
  return { forward: (x, ctx) => dropout.forward(stack.forward(x, ctx), ctx) };
}
