import { type ModelConfiguration, parseConfiguration } from './configuration.js';
import { buildDecoder } from './decoder-model.js';
import type { ModelFamily } from './family.js';

/** Models of a typed configuration, under our own paths; no other library has them. */
export const headwise: ModelFamily<ModelConfiguration> = {
  modelType: 'headwise',
  parseConfig: parseConfiguration,
  configJson: (config) => ({ ...config }),
  preset: (config) => config,
  build: buildDecoder,
  keys: () => [['', '']],
  keyPrefix: '',
  ignoredKeys: /^$/,
};
