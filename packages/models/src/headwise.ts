import type { ModelConfiguration } from './configuration.js';
import { parseConfiguration } from './configuration-schema.js';
import type { ModelFamily } from './family.js';
import { buildModel } from './topologies.js';

/** Models of a typed configuration, under our own paths; no other library has them. */
export const headwise: ModelFamily<ModelConfiguration> = {
  modelType: 'headwise',
  parseConfig: parseConfiguration,
  configJson: (config) => ({ ...config }),
  depths: ['layers'],
  preset: (config) => config,
  build: buildModel,
  keys: () => [['', '']],
  keyPrefix: '',
  ignoredKeys: /^$/,
};
