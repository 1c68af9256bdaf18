import type { LanguageModel, ParamStore } from '@headwise/core';

/** A family of models: how its configuration reads, how it is built, how its checkpoints name things. */
export interface ModelFamily<Config = unknown> {
  /** Hugging Face's `model_type`. */
  readonly modelType: string;
  /**
   * Reads a `config.json`; keys that are absent get Hugging Face's defaults.
   *
   * @throws InputError naming the key, what it holds and what was expected
   */
  parseConfig(json: unknown, name?: string): Config;
  /** The `config.json` to save. */
  configJson(config: Config): Record<string, unknown>;
  build(params: ParamStore, config: Config): LanguageModel;
  /** Where a parameter of ours lies in a checkpoint of Hugging Face's: path prefix to key prefix. */
  readonly keys: readonly (readonly [ours: string, theirs: string])[];
  /** Before every key of a whole model; checkpoints of the bare model lack it. */
  readonly keyPrefix: string;
  /** Keys that checkpoints hold beside parameters: buffers, and copies of tied weights. */
  readonly ignoredKeys: RegExp;
}

/**
 * The checkpoint key of a parameter; `#` in the family's table stands for a block's number.
 *
 * @throws Error where the table lacks the path: a mistake in the family's file
 */
export function keyOf(family: ModelFamily, path: string): string {
  const [, block] = /\.(\d+)\./.exec(path) ?? [];
  const general = path.replace(/\.\d+\./, '.#.');
  const entry = family.keys.find(([ours]) => general.startsWith(`${ours}.`));
  if (!entry) throw new Error(`${family.modelType}: no checkpoint key for parameter '${path}'`);
  const [ours, theirs] = entry;
  const key = theirs + general.slice(ours.length);
  return family.keyPrefix + (block === undefined ? key : key.replace('#', block));
}
