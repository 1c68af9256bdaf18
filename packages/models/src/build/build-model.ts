import type { Network, ParamStore } from '@headwise/core';
import { buildDecoder } from './decoder-model.js';
import { buildEncoderDecoder } from './encoder-decoder.js';
import { HeadedStack } from './headed-stack.js';
import type { ModelConfiguration } from './model-configuration.js';

type Builder = (params: ParamStore, config: ModelConfiguration) => Network;

const builders: { readonly [K in ModelConfiguration['topology']]: Builder } = {
  decoder: buildDecoder,
  encoder: (params, config) => new HeadedStack(params, config, config.head as never),
  'encoder-decoder': buildEncoderDecoder,
};

/** A model of the topology that a configuration names. */
export const buildModel: Builder = (params, config) => builders[config.topology](params, config);
