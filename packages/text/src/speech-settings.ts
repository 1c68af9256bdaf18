import { InputError, quoted } from '@headwise/core';
import type { LogMelOptions } from '@headwise/models';

/** What a Whisper folder says of transcription, for `transcribe`. */
export interface SpeechSettings {
  /** Options of `logMelFeatures`, of `preprocessor_config.json`; absent where the folder has none. */
  readonly features?: LogMelOptions | undefined;
  /** The ids of languages by their tokens, such as `<|en|>`: `lang_to_id`. */
  readonly languageIds?: Readonly<Record<string, number>> | undefined;
  /** The ids of `transcribe` and `translate`: `task_to_id`. */
  readonly taskIds?: Readonly<Record<string, number>> | undefined;
  /** False for a model of English alone: `is_multilingual`. */
  readonly multilingual?: boolean | undefined;
  /** The id that promises a text without times; those above it are times: `no_timestamps_token_id`. */
  readonly noTimestampsId?: number | undefined;
  /** The last time that may come first, counted from 0: `max_initial_timestamp_index`. */
  readonly latestFirst?: number | undefined;
  /** The ids behind the first one where neither language nor task is given; null is a language to detect: `forced_decoder_ids`. */
  readonly forcedIds?: readonly (number | null)[] | undefined;
  /** Defaults of `transcribe`. */
  readonly language?: string | undefined;
  readonly task?: string | undefined;
  readonly timestamps?: boolean | undefined;
}

type Check = readonly [test: (value: unknown) => boolean, expected: string];
const isId = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const id: Check = [isId, 'a whole number of at least 0'];
const ids: Check = [
  (value) =>
    typeof value === 'object' && !Array.isArray(value) && Object.values(value!).every(isId),
  'token ids by name',
];
const flag: Check = [(value) => typeof value === 'boolean', 'true or false'];
const text: Check = [(value) => typeof value === 'string', 'a text'];
const forced: Check = [
  (value) =>
    Array.isArray(value) &&
    value.every(
      (pair, i) => Array.isArray(pair) && pair[0] === i + 1 && (pair[1] === null || isId(pair[1])),
    ),
  'pairs of a place, from 1 on without gaps, and an id',
];
/** Thresholds at which transformers draws again or leaves a window out. */
const none: Check = [() => false, 'null: drawing a window again is not built'];

/** The keys of Whisper in a `generation_config.json`, beside those of every model. */
const checks: Readonly<Record<string, Check>> = {
  ...{ lang_to_id: ids, task_to_id: ids, is_multilingual: flag, no_timestamps_token_id: id },
  ...{ max_initial_timestamp_index: id, forced_decoder_ids: forced, language: text, task: text },
  return_timestamps: flag,
  condition_on_prev_tokens: [(value) => value === false, 'false: nothing else is built'],
  ...{ compression_ratio_threshold: none, logprob_threshold: none, no_speech_threshold: none },
  // Of the times of words and of prompts, which are not built.
  ...{ alignment_heads: [() => true, ''], median_filter_width: [() => true, ''] },
  prev_sot_token_id: id,
};

/** Whether a key of `generation_config.json` is one of speech. */
export const isSpeechKey = (key: string): boolean => Object.hasOwn(checks, key);

/** The keys that only models of speech have. */
const ofSpeech = ['lang_to_id', 'task_to_id', 'no_timestamps_token_id'];

/**
 * What a `generation_config.json` says of speech; null counts as absent.
 *
 * @param json the parsed file, an object
 * @returns undefined where it is of another kind of model
 * @throws InputError naming the key, its value and what was expected
 */
export function parseSpeechSettings(json: unknown, name: string): SpeechSettings | undefined {
  const given = Object.entries(json as object).filter(([, value]) => value !== null);
  const values = Object.fromEntries(given);
  if (!ofSpeech.some((key) => Object.hasOwn(values, key))) return undefined;
  for (const [key, value] of given) {
    if (!isSpeechKey(key)) continue;
    const [test, expected] = checks[key]!;
    if (test(value)) continue;
    throw new InputError(`${name}: '${key}' is ${quoted(value)}; expected ${expected}`);
  }
  return {
    languageIds: values.lang_to_id,
    taskIds: values.task_to_id,
    multilingual: values.is_multilingual,
    noTimestampsId: values.no_timestamps_token_id,
    latestFirst: values.max_initial_timestamp_index,
    forcedIds: values.forced_decoder_ids?.map(([, forcedId]: [number, number | null]) => forcedId),
    language: values.language,
    task: values.task,
    timestamps: values.return_timestamps,
  };
}
