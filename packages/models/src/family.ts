import type { Network, ParamStore } from '@headwise/core';
import type { ModelConfiguration } from './configuration.js';
import type { RowOrder } from './row-order.js';

/**
 * Where parameters lie in checkpoints of Hugging Face's: path prefix, key prefix, and the order of rows there
 * where it is another; `#` stands for a block's number.
 */
export type KeyTable = readonly (readonly [ours: string, theirs: string, rows?: () => RowOrder])[];

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
  /** What a model of this configuration is made of, for families whose parts can be exchanged. */
  preset?(config: Config): ModelConfiguration;
  build(params: ParamStore, config: Config): Network;
  keys(config: Config): KeyTable;
  /** What whole models have before the keys of the bare model, whose own checkpoints lack it. */
  readonly keyPrefix: string;
  /** Tensors of one axis that Hugging Face expects beside parameters, and that follow from the configuration. */
  buffers?(config: Config): Readonly<Record<string, Float32Array>>;
  /** Keys that checkpoints hold beside parameters: buffers, and copies of tied weights. */
  readonly ignoredKeys: RegExp;
  /** Keys that checkpoints may lack; what they stand for then starts anew. */
  readonly optionalKeys?: RegExp;
  /** How the first checkpoints spelt a key, where they did otherwise. */
  oldKey?(key: string): string;
}

/** Where one parameter lies in a checkpoint. */
export interface KeyPlace {
  key: string;
  rows: (() => RowOrder) | undefined;
}

/**
 * The checkpoint key of a parameter.
 *
 * @throws Error where the table lacks the path: a mistake in the family's file
 */
export function placeOf(table: KeyTable, path: string): KeyPlace {
  const [, block = ''] = /\.(\d+)\./.exec(path) ?? [];
  const general = path.replace(/\.\d+\./, '.#.');
  const entry = table.find(
    ([ours]) => ours === '' || general === ours || general.startsWith(`${ours}.`),
  );
  if (!entry) throw new Error(`no checkpoint key for parameter '${path}'`);
  const [ours, theirs, rows] = entry;
  return { key: (theirs + general.slice(ours.length)).replace('#', block), rows };
}
