import type { EncoderModel, Layer, ParamStore } from '@headwise/core';
import type { AdaptiveEmbedding, Embedding } from '@headwise/layers';
import { FramesInput } from './frames-input.js';
import type { ModelConfiguration } from './model-configuration.js';
import { PatchInput } from './patch-input.js';
import { makeTokens, TokenInput } from './token-input.js';

/** What the first block of a stack reads, and the table of tokens, which is absent where pictures or sounds take their place. */
export interface StackInput {
  readonly input: Layer;
  readonly tokens?: Embedding | AdaptiveEmbedding | undefined;
}

/**
 * The input of a stack that a configuration names: patches of pictures, frames of sounds, or tokens.
 *
 * @param tokens the table; default one of the stack's own, `tokens`
 */
export function makeStackInput(
  params: ParamStore,
  config: ModelConfiguration,
  tokens: () => Embedding | AdaptiveEmbedding = () => makeTokens(params.at('tokens'), config),
): StackInput {
  const { patches, frames } = config.embedding ?? {};
  if (patches) return { input: new PatchInput(params, config, patches) };
  if (frames) return { input: new FramesInput(params, config, frames) };
  const table = tokens();
  return { input: new TokenInput(params, config, table), tokens: table };
}

/** The size of the pictures or sounds that a stack reads in place of ids. */
export function sourceSize({
  embedding = {},
}: ModelConfiguration): Pick<EncoderModel, 'pictures' | 'frames'> {
  const { patches, frames } = embedding;
  const { height, width, channels } = patches ?? {};
  return {
    pictures: height && width && channels ? { height, width, channels } : undefined,
    frames,
  };
}
