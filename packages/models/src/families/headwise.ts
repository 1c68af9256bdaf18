import type { ModelConfiguration } from '../build/model-configuration.js';
import { parseConfiguration } from '../build/parse-configuration.js';
import { savedConfiguration } from '../build/written.js';
import type { ModelFamily } from '../family.js';

/** Models of a typed configuration, under our own paths; no other library has them. */
export const headwise: ModelFamily<ModelConfiguration> = {
  modelType: 'headwise',
  parseConfig: parseConfiguration,
  configJson: savedConfiguration,
  preset: (config) => config,
  keys: () => [['', '']],
  keyPrefix: '',
  ignoredKeys: /^$/,
};
