import type { ModelConfiguration } from './model-configuration.js';

/** The two stacks of an encoder-decoder. */
export type Side = 'encoder' | 'decoder';

/** One side of an encoder-decoder as the configuration of a stack. */
export function sideOf(config: ModelConfiguration, side: Side): ModelConfiguration {
  if (side === 'encoder') {
    const { encoder } = config;
    return typeof encoder === 'object' ? encoder : { ...config, topology: 'encoder' };
  }
  const { decoder = {} } = config;
  const { layers = config.layers, vocabSize = config.vocabSize, heads: count, hidden } = decoder;
  const { heads, feedForward } = config;
  return {
    ...config,
    topology: 'decoder',
    layers,
    vocabSize,
    heads: count === undefined ? heads : { ...heads, count },
    feedForward:
      hidden === undefined || feedForward.kind === 'own' ? feedForward : { ...feedForward, hidden },
  };
}
