import { DataError } from '../errors.js';

/** A source of a mixture file: a folder of shards, and how much of it is drawn. */
export interface SourceSettings {
  /** The folder, below the mixture file's own. */
  readonly shards: string;
  /** SHA-256 of its `shards.json`; another is refused. */
  readonly sha256?: string | undefined;
  /** Its part of what is drawn, in proportion to the others' weights. */
  readonly weight?: number | undefined;
  /** Its budget in tokens; a run ends before the budgets of all do. */
  readonly tokens?: number | undefined;
  /** Its budget in passes over its tokens. */
  readonly epochs?: number | undefined;
}

/** The first steps of a run, in which windows are cut into shorter ones. */
export interface CurriculumStage {
  readonly steps: number;
  /** Tokens of a row, a divisor of the length of windows: a batch has as many tokens, in more rows. */
  readonly length: number;
}

/** A mixture of shards, as a file says it. */
export interface MixtureSettings {
  readonly sources: readonly SourceSettings[];
  /** Of sources without weights and budgets: they weigh `tokens^(1/temperature)`. Default 1, in proportion to their tokens. */
  readonly temperature?: number | undefined;
  /** Stages before the full length. */
  readonly curriculum?: readonly CurriculumStage[] | undefined;
}

const positive = (value: unknown): boolean =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;
const whole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
const text = (value: unknown): boolean => typeof value === 'string' && value !== '';

type Keys = Record<string, { is: (value: unknown) => boolean; expected: string }>;
const aNumber = { is: positive, expected: 'a number above 0' };
const aWhole = { is: whole, expected: 'a whole number above 0' };
const sourceKeys: Keys = {
  shards: { is: text, expected: 'the path of a folder' },
  sha256: { is: text, expected: 'a SHA-256' },
  weight: aNumber,
  tokens: aWhole,
  epochs: aNumber,
};
const aList = { is: (value: unknown) => Array.isArray(value), expected: 'a list' };
const mixtureKeys: Keys = { sources: aList, temperature: aNumber, curriculum: aList };
const stageKeys: Keys = { steps: aWhole, length: aWhole };

/**
 * Checks what a mixture file holds.
 *
 * @param name the file's, for errors
 * @throws DataError naming the key, what it holds and what was expected
 */
export function parseMixture(json: unknown, name: string): MixtureSettings {
  const settings = checked<MixtureSettings>(json, mixtureKeys, name, ['sources']);
  const { sources, temperature, curriculum = [] } = settings;
  if (sources.length === 0) {
    throw new DataError(`${name}: sources is [], expected at least one`);
  }
  for (const [i, source] of sources.entries()) {
    checked(source, sourceKeys, `${name}: source ${i + 1}`, ['shards']);
  }
  for (const [i, stage] of curriculum.entries()) {
    checked(stage, stageKeys, `${name}: curriculum stage ${i + 1}`, ['steps', 'length']);
  }
  const kinds = new Set(sources.map(kindOf));
  const [kind = 'size'] = kinds;
  if (kinds.size > 1 || kind === 'both') {
    throw new DataError(
      `${name}: some sources have ${[...kinds].join(', some ')}; expected a weight for each, or a budget (tokens or epochs) for each, or neither`,
    );
  }
  if (temperature !== undefined && kind !== 'neither') {
    throw new DataError(
      `${name}: temperature is ${temperature}, and its sources have a ${kind}; leave one out`,
    );
  }
  return settings;
}

function kindOf({ weight, tokens, epochs }: SourceSettings) {
  const given = [weight, tokens, epochs].filter((value) => value !== undefined).length;
  if (given > 1) return 'both';
  return weight !== undefined ? 'weight' : given === 1 ? 'budget' : 'neither';
}

function checked<T>(json: unknown, keys: Keys, place: string, needed: readonly string[]): T {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new DataError(
      `${place}: is ${JSON.stringify(json)}, expected an object with ${Object.keys(keys).join(', ')}`,
    );
  }
  const given = json as Record<string, unknown>;
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(keys, key)) continue;
    throw new DataError(
      `${place}: '${key}' is not a key; expected ${Object.keys(keys).join(', ')}`,
    );
  }
  for (const [key, { is, expected }] of Object.entries(keys)) {
    if (given[key] === undefined ? !needed.includes(key) : is(given[key])) continue;
    throw new DataError(`${place}: ${key} is ${JSON.stringify(given[key])}, expected ${expected}`);
  }
  return given as T;
}

/** The weights of sources, and how many tokens their budgets have in all. */
export interface MixtureWeights {
  readonly weights: readonly number[];
  /** Absent without budgets. */
  readonly budget?: number | undefined;
}

/**
 * The weights of a mixture's sources.
 *
 * @param sizes the tokens of each
 */
export function mixtureWeights(
  { sources, temperature = 1 }: MixtureSettings,
  sizes: readonly number[],
): MixtureWeights {
  if (sources[0]?.weight !== undefined) return { weights: sources.map(({ weight }) => weight!) };
  const budgets = sources.map(
    ({ tokens, epochs }, i) => tokens ?? (epochs === undefined ? undefined : epochs * sizes[i]!),
  );
  if (budgets[0] === undefined) return { weights: sizes.map((size) => size ** (1 / temperature)) };
  const weights = budgets as number[];
  return { weights, budget: weights.reduce((sum, tokens) => sum + tokens, 0) };
}
