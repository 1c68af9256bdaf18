import type { ModelConfiguration } from '@headwise/models';
import { readConfiguration } from '@headwise/models/internal';

/** The groups of models, by what a configuration has. */
const members = {
  decoders: ({ topology }: ModelConfiguration): boolean => topology === 'decoder',
  encoders: ({ topology }: ModelConfiguration): boolean => topology === 'encoder',
  'encoder-decoders': ({ topology }: ModelConfiguration): boolean => topology === 'encoder-decoder',
  experts: ({ feedForward }: ModelConfiguration): boolean => feedForward.kind === 'experts',
  pictures: ({ embedding, encoder }: ModelConfiguration): boolean =>
    embedding?.patches !== undefined ||
    (typeof encoder === 'object' && encoder.embedding?.patches !== undefined),
  sounds: ({ embedding, encoder }: ModelConfiguration): boolean =>
    embedding?.frames !== undefined ||
    (typeof encoder === 'object' && encoder.embedding?.frames !== undefined),
};

/** A group of models: by topology, or those with a mixture of experts, or those that read pictures or sounds. */
export type ModelGroup = keyof typeof members;

/** Every group. A model is in one of the first three, and in each other one whose part it has. */
export const modelGroups: readonly ModelGroup[] = Object.keys(members) as ModelGroup[];

/**
 * The groups that the model of a configuration is in.
 *
 * @param configuration the content of a family's `config.json`
 * @param name names the configuration in errors
 * @throws InputError for a configuration that no family reads
 * @example
 * groupsOf({ model_type: 'mixtral' }); // ['decoders', 'experts']
 */
export function groupsOf(configuration: unknown, name?: string): ModelGroup[] {
  const { family, config } = readConfiguration(configuration, name);
  const parts = family.preset(config);
  return modelGroups.filter((group) => members[group](parts));
}
