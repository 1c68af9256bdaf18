import { InputError, quoted } from '@headwise/core';
import type { GenerateOptions } from './options.js';
import type { SequenceBias } from './processors/sequence-bias.js';
import { earlyExit } from './speculation/draft-model.js';
import { promptLookup } from './speculation/prompt-lookup.js';

/** The options in a `generation_config.json`. */
export interface GenerationDefaults {
  options: GenerateOptions;
  /** Texts that end generation: `stop_strings`. */
  stopTexts: string[];
  /** Keys that Hugging Face's `generate` does not have, and that change nothing here. */
  unknown: string[];
}

/**
 * The options of a Hugging Face `generation_config.json`.
 *
 * Every key that changes what is generated is honoured or refused by name; null counts as absent. As in
 * transformers 5, `temperature`, `top_k`, `top_p` and `min_p` count only where `do_sample` is true, and `top_k`
 * is 50 then unless the file says otherwise (0 is all).
 *
 * @param json the parsed file
 * @param name of the file, for errors
 * @throws InputError naming the key, its value, and what is possible
 * @see https://huggingface.co/docs/transformers/main_classes/text_generation#transformers.GenerationConfig
 */
export function parseGenerationConfig(json: unknown, name: string): GenerationDefaults {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new InputError(`${name}: the document is ${quoted(json)}; expected an object`);
  }
  const given = Object.entries(json).filter(([, value]) => value !== null && value !== undefined);
  const values = new Map<string, unknown>(given);
  const sample = flag(values.get('do_sample') ?? false, 'do_sample', name);
  const options: GenerateOptions = sample ? { topK: 50 } : { temperature: 0 };
  const unknown: string[] = [];
  const stopTexts = stopTextsOf(values.get('stop_strings') ?? [], name);
  for (const [key, value] of values) {
    if (key === 'do_sample' || key === 'stop_strings' || withoutEffect.has(key)) continue;
    const read = Object.hasOwn(always, key) ? always[key] : undefined;
    const readSampling = Object.hasOwn(sampling, key) ? sampling[key] : undefined;
    const reader = read ?? readSampling;
    if (!reader) {
      unknown.push(key);
      continue;
    }
    const found = reader(value, (expected) => {
      throw new InputError(`${name}: '${key}' is ${quoted(value)}; expected ${expected}`);
    });
    if (read || sample) Object.assign(options, found());
  }
  if (values.has('prompt_lookup_num_tokens')) {
    const maxTokens = values.get('prompt_lookup_num_tokens') as number;
    // Transformers looks for n-grams from this size down to one token.
    const maxNgram = (values.get('max_matching_ngram_size') ?? 2) as number;
    options.speculation = promptLookup({ maxTokens, maxNgram, minNgram: 1 });
  }
  return { options, stopTexts, unknown };
}

type Refuse = (expected: string) => never;
/** Checks the type of a value at once, and whether it can be honoured where it counts. */
type Reader = (value: unknown, refuse: Refuse) => () => GenerateOptions;

/** A number that passes a test. */
const numeric =
  (
    expected: string,
    test: (value: number) => boolean,
    options: (value: number) => GenerateOptions,
  ): Reader =>
  (value, refuse) =>
    typeof value === 'number' && test(value) ? () => options(value) : refuse(expected);

/** Whether a value is a whole number of at least 0. */
export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const count = (options: (value: number) => GenerateOptions): Reader =>
  numeric('a whole number of at least 0', isCount, options);

const atLeastOne = (options: (value: number) => GenerateOptions): Reader =>
  numeric('a whole number of at least 1', (value) => isCount(value) && value > 0, options);

/** Whether a value is a list of token ids. */
export const isIds = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every(isCount);

/** A list of ids. */
const ids =
  (options: (value: number[]) => GenerateOptions): Reader =>
  (value, refuse) =>
    isIds(value) ? () => options(value) : refuse('a list of token ids');

/** One id or several. */
const someIds =
  (options: (value: readonly number[]) => GenerateOptions): Reader =>
  (value, refuse) => {
    const list = Array.isArray(value) ? value : [value];
    return isIds(list) ? () => options(list) : refuse('a token id or a list of them');
  };

const isPair = (value: unknown): value is [unknown, unknown] =>
  Array.isArray(value) && value.length === 2;

const isBias = (value: unknown): value is SequenceBias =>
  isPair(value) && isIds(value[0]) && value[0].length > 0 && typeof value[1] === 'number';

/** A value without effect; other values are not supported and refused where they count. */
const only =
  (
    expected: string,
    neutral: (value: unknown) => boolean,
    instead = 'nothing else is supported',
  ): Reader =>
  (value, refuse) =>
  () =>
    neutral(value) ? {} : refuse(`${expected}: ${instead}`);
const none = only('null', (value) => Array.isArray(value) && value.length === 0);
const off = only('false', (value) => value === false);
/** Settings of a search, which is a function of its own. */
const searchOf = (name: string, neutral: number): Reader =>
  only(
    `${neutral}`,
    (value) => value === neutral,
    `call ${name} with what parseSearchConfig returns`,
  );

/** Keys that count with and without sampling. */
const always: Readonly<Record<string, Reader>> = {
  max_new_tokens: count((maxNewTokens) => ({ maxNewTokens })),
  max_length: atLeastOne((maxLength) => ({ maxLength })),
  min_new_tokens: count((minNewTokens) => ({ minNewTokens })),
  min_length: count((minLength) => ({ minLength })),
  eos_token_id: (value, refuse) => {
    const list: unknown[] = Array.isArray(value) ? value : [value];
    // A negative id stands for none.
    if (!list.every((id) => Number.isSafeInteger(id))) refuse('a token id or a list of them');
    return () => ({ stopIds: (list as number[]).filter((id) => id >= 0) });
  },
  repetition_penalty: numeric(
    'a number above 0',
    (value) => value > 0,
    (repetitionPenalty) => ({ repetitionPenalty }),
  ),
  no_repeat_ngram_size: count((noRepeatNgramSize) => ({ noRepeatNgramSize })),
  bad_words_ids: (value, refuse) =>
    Array.isArray(value) && value.every((word) => isIds(word) && word.length > 0)
      ? () => ({ badWords: value })
      : refuse('a list of lists of token ids'),
  suppress_tokens: ids((suppressIds) => ({ suppressIds })),
  begin_suppress_tokens: ids((beginSuppressIds) => ({ beginSuppressIds })),
  forced_bos_token_id: someIds((forcedFirstId) => ({ forcedFirstId })),
  forced_eos_token_id: someIds((forcedLastId) => ({ forcedLastId })),
  encoder_repetition_penalty: numeric(
    'a number above 0',
    (value) => value > 0,
    (encoderRepetitionPenalty) => ({ encoderRepetitionPenalty }),
  ),
  encoder_no_repeat_ngram_size: count((encoderNoRepeatNgramSize) => ({ encoderNoRepeatNgramSize })),
  exponential_decay_length_penalty: (value, refuse) => {
    if (!isPair(value)) return refuse('a start and a factor');
    const [start, factor] = value;
    return isCount(start) && typeof factor === 'number' && factor > 0
      ? () => ({ lengthDecay: { start, factor } })
      : refuse('a start of at least 0 and a factor above 0');
  },
  sequence_bias: (value, refuse) =>
    Array.isArray(value) && value.every(isBias)
      ? () => ({ sequenceBias: value })
      : refuse('a list of pairs of token ids and a bias'),
  guidance_scale: numeric('a number', Number.isFinite, (guidanceScale) =>
    guidanceScale === 1 ? {} : { guidanceScale },
  ),
  max_time: numeric(
    'a number of seconds, at least 0',
    (value) => value >= 0,
    (seconds) => ({ maxTime: seconds * 1000 }),
  ),
  constraints: none,
  diversity_penalty: searchOf('beamSearch', 0),
  dola_layers: (value, refuse) =>
    value === 'low' || value === 'high' || (isIds(value) && value.length > 0)
      ? () => ({ dolaLayers: value })
      : refuse("'low', 'high', or a list of layers"),
  force_words_ids: only(
    'null',
    (value) => Array.isArray(value) && value.length === 0,
    'call beamSearch with what parseSearchConfig returns',
  ),
  num_beam_groups: searchOf('beamSearch', 1),
  num_beams: searchOf('beamSearch', 1),
  num_return_sequences: only(
    '1',
    (value) => value === 1,
    'call beamSearch with what parseSearchConfig returns for several beams; for several samples, generateBatch with the prompt as often, each with its seed',
  ),
  penalty_alpha: searchOf('contrastiveSearch', 0),
  remove_invalid_values: off,
  assistant_early_exit: atLeastOne((layers) => ({ speculation: earlyExit(layers) })),
  assistant_ensemble_weight: only('null: speculation changes no token', () => false),
  max_matching_ngram_size: atLeastOne(() => ({})),
  prompt_lookup_num_tokens: atLeastOne(() => ({})),
  token_healing: off,
  watermarking_config: none,
};

/** Keys that count only where tokens are drawn. */
const sampling: Readonly<Record<string, Reader>> = {
  temperature: numeric(
    'a number of at least 0',
    (value) => value >= 0,
    (temperature) => ({ temperature }),
  ),
  // Hugging Face's 0 means all.
  top_k: count((topK) => ({ topK: topK === 0 ? Number.POSITIVE_INFINITY : topK })),
  top_p: numeric(
    '0 < top_p ≤ 1',
    (value) => value > 0 && value <= 1,
    (topP) => ({ topP }),
  ),
  min_p: numeric(
    '0 ≤ min_p ≤ 1',
    (value) => value >= 0 && value <= 1,
    (minP) => ({ minP }),
  ),
  typical_p: numeric(
    '0 < typical_p ≤ 1',
    (value) => value > 0 && value <= 1,
    (typicalP) => ({ typicalP }),
  ),
  epsilon_cutoff: numeric(
    '0 ≤ epsilon_cutoff < 1',
    (value) => value >= 0 && value < 1,
    (epsilonCutoff) => ({ epsilonCutoff }),
  ),
  eta_cutoff: numeric(
    '0 ≤ eta_cutoff < 1',
    (value) => value >= 0 && value < 1,
    (etaCutoff) => ({ etaCutoff }),
  ),
  top_h: none,
};

/** Keys that say how fast, where, or with what beside the tokens something is computed, but not which tokens come. */
const withoutEffect: ReadonlySet<string> = new Set([
  '_commit_hash',
  '_from_model_config',
  // Of an assistant model, which the file does not name; `draftModel` has lengths of its own.
  'assistant_confidence_threshold',
  'assistant_lookbehind',
  'bos_token_id',
  'cache_config',
  'cache_implementation',
  'compile_config',
  'continuous_batching_config',
  'decoder_start_token_id',
  'disable_compile',
  // Both are for beams alone.
  'early_stopping',
  'length_penalty',
  'is_assistant',
  'low_memory',
  'max_cache_len',
  'num_assistant_tokens',
  'num_assistant_tokens_schedule',
  'output_attentions',
  'output_hidden_states',
  'output_logits',
  'output_scores',
  'pad_token_id',
  'prefill_chunk_size',
  // Log-probabilities in place of scores: the distribution is the same.
  'renormalize_logits',
  'return_dict_in_generate',
  'speculation_type',
  'target_lookbehind',
  'transformers_version',
  'use_cache',
  'use_mtp',
]);

function stopTextsOf(value: unknown, name: string): string[] {
  const list = typeof value === 'string' ? [value] : value;
  const isTexts =
    Array.isArray(list) && list.every((text) => typeof text === 'string' && text !== '');
  if (isTexts) return list;
  throw new InputError(
    `${name}: 'stop_strings' is ${quoted(value)}; expected a text or a list of them`,
  );
}

function flag(value: unknown, key: string, name: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new InputError(`${name}: '${key}' is ${quoted(value)}; expected true or false`);
}
