import type { ModelConfiguration } from './build/model-configuration.js';
import type { RowOrder } from './checkpoint/row-order.js';
import type { KnownKeys } from './families/shared/settings.js';

/** One of several parameters of a shape that a checkpoint holds as one tensor, one after the other on its first axis. */
export interface KeyPart {
  readonly index: number;
  /** How many parameters the tensor holds. */
  readonly of: number;
}

/** A parameter that a checkpoint holds as several tensors, one after the other on its first axis, as the experts of a layer. */
export interface KeyPieces {
  /** How many; `*` stands for the number of each in the key. */
  readonly each: number;
}

/**
 * Where parameters lie in checkpoints: path prefix, key prefix, and the order of rows there where it is another, which part of
 * the tensor it is, of how many tensors it is made, or `turned` where matrices are the transposes of ours; `#` stands for a block's
 * number, where it is not given.
 */
export type KeyTable = readonly (readonly [
  ours: string,
  theirs: string,
  rows?: (() => RowOrder) | KeyPart | KeyPieces | 'turned',
])[];

/** A tensor that repeats another one in checkpoints, as their weights are tied: its key, and the other's. */
export type KeyCopy = readonly [copy: string, of: string];

/** The tensors of a checkpoint, to adjust a configuration to them. */
export interface Held {
  has(key: string): boolean;
  /** The keys of copies whose values differ from what they should repeat. */
  readonly differing: readonly string[];
}

/** A tensor that follows from a configuration. */
export interface ComputedTensor {
  readonly shape: readonly number[];
  values(): Float32Array;
}

/** A family of models: its settings, the parts that they stand for, and the keys of its checkpoints. */
export interface ModelFamily<Config = unknown> {
  /** Hugging Face's `model_type`. */
  readonly modelType: string;
  /**
   * Reads a `config.json`; keys that are absent get Hugging Face's defaults.
   *
   * @throws InputError naming the key, what it holds and what was expected
   */
  parseConfig(json: unknown, name?: string): Config;
  /** The known keys of a `config.json`; absent where the schema refuses unknown keys. */
  readonly settings?: KnownKeys | undefined;
  /** The `config.json` to save. */
  configJson(config: Config): Record<string, unknown>;
  /** What a model of this configuration is made of. */
  preset(config: Config): ModelConfiguration;
  keys(config: Config): KeyTable;
  /** What whole models have before the keys of the bare model, whose own checkpoints lack it. */
  readonly keyPrefix: string;
  /** Tensors that Hugging Face expects beside parameters, and that follow from the configuration. */
  buffers?(config: Config): Readonly<Record<string, ComputedTensor>>;
  /** Keys that checkpoints hold beside parameters: buffers, which follow from the configuration. */
  readonly ignoredKeys: RegExp;
  /** Copies of tied weights that checkpoints may hold, or hold alone. */
  copies?(config: Config): readonly KeyCopy[];
  /**
   * The configuration as a checkpoint's tensors have it, where what is tied or left out is otherwise than
   * `config.json` says. As transformers 5 does, what differs is not tied.
   */
  fitted?(config: Config, held: Held): Config;
  /** Keys that checkpoints may lack; what they stand for then starts anew. */
  readonly optionalKeys?: RegExp | undefined;
  /** How the first checkpoints spelt a key, where they did otherwise. */
  oldKey?(key: string): string;
}

/** Where one parameter lies in a checkpoint. */
export interface KeyPlace {
  key: string;
  rows: (() => RowOrder) | undefined;
  /** Which part of the tensor it is, where the tensor holds several parameters. */
  part: KeyPart | undefined;
  /** The keys of all its tensors, where there are several; `key` is then the first. */
  keys?: readonly string[] | undefined;
  /** Whether a matrix is the transpose of ours. */
  turned?: boolean | undefined;
}

/** The shape of the tensor that holds a parameter. */
export const shapeInFile = (shape: readonly number[], part: KeyPart | undefined): number[] =>
  part ? [shape[0]! * part.of, ...shape.slice(1)] : [...shape];

/**
 * The checkpoint key of a parameter.
 *
 * @throws Error where the table lacks the path: a mistake in the family's file
 */
export function placeOf(table: KeyTable, path: string): KeyPlace {
  const [, block = ''] = /\.(\d+)\./.exec(path) ?? [];
  const general = path.replace(/\.\d+\./, '.#.');
  const entry = table.find(
    ([ours]) =>
      ours === '' || [general, path].some((one) => one === ours || one.startsWith(`${ours}.`)),
  );
  if (!entry) throw new Error(`no checkpoint key for parameter '${path}'`);
  const [ours, theirs, rows] = entry;
  const rest = ours === '' || ours.includes('#') ? general : path;
  const key = (theirs + rest.slice(ours.length)).replace('#', block);
  const whole = { key, rows: undefined, part: undefined };
  if (rows === 'turned') return { ...whole, turned: true };
  if (typeof rows !== 'object') return { ...whole, rows };
  if (!('each' in rows)) return { ...whole, part: rows };
  const keys = Array.from({ length: rows.each }, (_, i) => key.replace('*', `${i}`));
  return { ...whole, key: keys[0]!, keys };
}
