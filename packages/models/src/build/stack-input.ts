import type { Layer, ParamStore } from '@headwise/core';
import type { AdaptiveEmbedding, Embedding } from '@headwise/layers';
import type { ModelConfiguration } from './model-configuration.js';
import { PatchInput } from './patch-input.js';
import { makeTokens, TokenInput } from './token-input.js';

/** What the first block of a stack reads, and the table of tokens, which is absent where patches of pictures take their place. */
export interface StackInput {
  readonly input: Layer;
  readonly tokens?: Embedding | AdaptiveEmbedding | undefined;
}

/**
 * The input of a stack that a configuration names: patches of pictures, or tokens.
 *
 * @param tokens the table; default one of the stack's own, `tokens`
 */
export function makeStackInput(
  params: ParamStore,
  config: ModelConfiguration,
  tokens: () => Embedding | AdaptiveEmbedding = () => makeTokens(params.at('tokens'), config),
): StackInput {
  const patches = config.embedding?.patches;
  if (patches) return { input: new PatchInput(params, config, patches) };
  const table = tokens();
  return { input: new TokenInput(params, config, table), tokens: table };
}
