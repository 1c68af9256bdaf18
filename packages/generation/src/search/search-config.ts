import { InputError, quoted } from '@headwise/core';
import {
  type GenerationDefaults,
  isCount,
  isIds,
  parseGenerationConfig,
} from '../generation-config.js';
import type { BeamSearchOptions } from './beam-options.js';
import type { EarlyStopping } from './beams.js';
import type { ContrastiveSearchOptions } from './contrastive-search.js';
import type { Phrase } from './phrases.js';

/** What a `generation_config.json` says, with the settings of the search that it asks for. */
export interface SearchDefaults extends GenerationDefaults {
  /** Settings of `beamSearch`, where the file asks for several beams or phrases. */
  beams: BeamSearchOptions | undefined;
  /** Settings of `contrastiveSearch`, where the file asks for it. */
  contrastive: ContrastiveSearchOptions | undefined;
}

type Values = Readonly<Record<string, unknown>>;

/**
 * The options of a Hugging Face `generation_config.json` that may ask for a search: `num_beams`, `num_beam_groups`,
 * `diversity_penalty`, `length_penalty`, `early_stopping`, `num_return_sequences` and `force_words_ids` for `beamSearch`,
 * `penalty_alpha` with `top_k` for `contrastiveSearch`.
 *
 * @param json the parsed file
 * @param name of the file, for errors
 * @throws InputError as `parseGenerationConfig` does, which reads all other keys
 * @example
 * const { options, beams } = parseSearchConfig(config, 'generation_config.json');
 * if (beams) await beamSearch(network, prompts, { ...beams, maxNewTokens: 20 }); // what is given wins
 */
export function parseSearchConfig(json: unknown, name: string): SearchDefaults {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return { ...parseGenerationConfig(json, name), beams: undefined, contrastive: undefined };
  }
  const values = json as Values;
  const read = readerOf(values, name);
  const count = (key: string, otherwise: number) =>
    read(key, otherwise, 'a whole number of at least 1', isPositiveCount);
  const number = (key: string, otherwise: number) =>
    read(key, otherwise, 'a number', (value): value is number => Number.isFinite(value));
  const beams = count('num_beams', 1);
  const phrases = read<readonly Phrase[]>('force_words_ids', [], phrasesAre, arePhrases);
  const alpha = number('penalty_alpha', 0);
  const settings = {
    beams,
    groups: count('num_beam_groups', 1),
    returned: count('num_return_sequences', 1),
    diversityPenalty: number('diversity_penalty', 0),
    lengthPenalty: number('length_penalty', 1),
    earlyStopping: read<EarlyStopping>('early_stopping', false, "true, false or 'never'", isEarly),
    sample: values.do_sample === true,
    phrases,
  };
  const isContrastive = beams === 1 && phrases.length === 0 && alpha > 0 && !settings.sample;
  const candidates = isContrastive ? count('top_k', 50) : 0;
  // One candidate is greedy, whatever the penalty.
  const searches = isContrastive && candidates > 1;
  const others = without(values, beams > 1 || phrases.length > 0 ? forBeams : []);
  const defaults = parseGenerationConfig(
    alpha === 0 || isContrastive || beams > 1 ? without(others, ['penalty_alpha']) : others,
    name,
  );
  return {
    ...defaults,
    beams: beams > 1 || phrases.length > 0 ? { ...defaults.options, ...settings } : undefined,
    contrastive: searches ? { ...defaults.options, candidates, penalty: alpha } : undefined,
  };
}

const forBeams = [
  'num_beams',
  'num_beam_groups',
  'num_return_sequences',
  'diversity_penalty',
  'force_words_ids',
];
const phrasesAre = 'a list of phrases, each a list of token ids or a list of such lists';

const without = (values: Values, keys: readonly string[]): Values =>
  Object.fromEntries(Object.entries(values).filter(([key]) => !keys.includes(key)));

/** Reads a key; null counts as absent. */
const readerOf =
  (values: Values, name: string) =>
  <T>(key: string, otherwise: T, expected: string, test: (value: unknown) => value is T): T => {
    const value = values[key] ?? otherwise;
    if (test(value)) return value;
    throw new InputError(`${name}: '${key}' is ${quoted(value)}; expected ${expected}`);
  };

const isPositiveCount = (value: unknown): value is number => isCount(value) && value > 0;

const isEarly = (value: unknown): value is EarlyStopping =>
  value === true || value === false || value === 'never';

const arePhrases = (value: unknown): value is readonly Phrase[] =>
  Array.isArray(value) &&
  value.every((phrase) => isIds(phrase) || (Array.isArray(phrase) && phrase.every(isIds)));
