import { type GroupName, groups, type RunConfig } from './run-config.js';

/** Keys of a configuration that are not of one kind with the others around them. */
export type ConfigKey = readonly [group: GroupName, key: string];

/** Whether a value has any meaning in a configuration: a task needs no tokenizer. */
export function applies([group, key]: ConfigKey, config: RunConfig): boolean {
  const { source, tokenizer } = config.data;
  const text = source === 'moby-dick' || source === 'file';
  if (group === 'data') {
    if (key === 'file') return source === 'file';
    if (key === 'length') return !text && source !== 'addition';
    if (key === 'tokenizer' || key === 'validation') return text;
    if (key === 'vocabSize') return text && tokenizer === 'byte-bpe';
  }
  if (key === 'adamwRate') return config.training.optimizer === 'muon';
  if (key === 'sampleEvery') return config.unshown?.samples !== null;
  return !(group === 'model' && key === 'context') || text;
}

/** Every key of a configuration, in order. */
export const configKeys: readonly ConfigKey[] = (Object.keys(groups) as GroupName[]).flatMap(
  (group) => Object.keys(groups[group].shape).map((key): ConfigKey => [group, key]),
);

export function settingOf(config: RunConfig, [group, key]: ConfigKey): unknown {
  return (config[group] as Record<string, unknown>)[key];
}

/** The keys in which some of these configurations differ. */
export function differences(configs: readonly RunConfig[]): ConfigKey[] {
  return configKeys.filter((key) => {
    const seen = new Set(
      configs.map((config) => (applies(key, config) ? JSON.stringify(settingOf(config, key)) : '')),
    );
    return seen.size > 1;
  });
}

/** What a key is called on the page. */
export function titleOf([group, key]: ConfigKey): string {
  const field = (groups[group].shape as Record<string, { meta(): { title?: string } | undefined }>)[
    key
  ];
  return field?.meta()?.title ?? key;
}
