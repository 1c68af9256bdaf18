import { checkPart, InputError, quoted } from '@headwise/core';
import type { ModelConfiguration } from './build/model-configuration.js';
import { parseConfiguration } from './build/parse-configuration.js';
import type { Written } from './build/written.js';
import { headwise } from './families/headwise.js';
import { type FamilyConfiguration, readConfiguration } from './families.js';

/** The parts of a family's preset that are exchanged. */
export type PresetChange = Partial<Omit<Written<ModelConfiguration>, 'model_type' | 'topology'>>;

const parts = "an object of parts, such as { position: { kind: 'alibi' } }";

/**
 * A configuration with some parts exchanged, which is then a typed one.
 *
 * @throws InputError for an inconsistent change
 */
export function changed(
  { family, config }: FamilyConfiguration,
  change: PresetChange,
): FamilyConfiguration & { config: ModelConfiguration } {
  checkPart('change', change, [], parts);
  if (Array.isArray(change)) throw new InputError(`change is an array; expected ${parts}`);
  const preset = family.preset(config);
  for (const key of ['model_type', 'topology'] as const) {
    const given = (change as Partial<ModelConfiguration>)[key];
    if (given === undefined || given === preset[key]) continue;
    throw new InputError(
      `change: '${key}' is ${quoted(given)}; it is ${quoted(preset[key])} and no part to exchange`,
    );
  }
  // The preset by itself holds together: what does not is the change's.
  return { family: headwise, config: parseConfiguration({ ...preset, ...change }, 'change') };
}

/**
 * The typed configuration of a family's `config.json`, with some parts exchanged.
 *
 * @throws InputError for an inconsistent change
 * @example
 * changedPreset({ model_type: 'bert' }, { position: { kind: 'alibi' } });
 */
export const changedPreset = (
  json: unknown,
  change: PresetChange,
  name = 'config.json',
): ModelConfiguration => changed(readConfiguration(json, name), change).config;
