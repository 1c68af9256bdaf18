import { InputError, type LanguageModel, quoted } from '@headwise/core';
import type { CacheStorage } from '@headwise/decoding';
import type { SamplingOptions } from '@headwise/kernels';
import { checkedSampling } from '@headwise/kernels/internal';

/** Options of generation. Lengths are in tokens. */
export interface GenerateOptions extends SamplingOptions {
  /** The most tokens to generate; default 64, or what `maxLength` leaves. */
  maxNewTokens?: number | undefined;
  /** The most tokens of prompt and continuation together; `maxNewTokens` wins over it. */
  maxLength?: number | undefined;
  /** No stop id is drawn before this many new tokens; default 0. */
  minNewTokens?: number | undefined;
  /** No stop id is drawn before prompt and continuation have this many tokens; default 0. */
  minLength?: number | undefined;
  /** Generation ends before any of these: the end tokens. An id outside the vocabulary never comes. */
  stopIds?: readonly number[] | undefined;
  /** No sequence of this many tokens occurs twice, the prompt included; default 0, no restriction. */
  noRepeatNgramSize?: number | undefined;
  /** Sequences of ids that are never completed. */
  badWords?: readonly (readonly number[])[] | undefined;
  /** Ids that are never drawn. */
  suppressIds?: readonly number[] | undefined;
  /** Ids that are not drawn as the first new token. */
  beginSuppressIds?: readonly number[] | undefined;
  /** The second token of the sequence, where the prompt has one token. */
  forcedFirstId?: number | undefined;
  /** The last token, where the sequence reaches its greatest length. */
  forcedLastId?: number | undefined;
  /** The same seed draws the same tokens; default 0. */
  seed?: number | undefined;
  /** How keys and values of past tokens are kept: f16 takes half the memory, on WebGPU; default f32. */
  storage?: CacheStorage | undefined;
  /**
   * Tokens that are drawn before the first of them is read, up to 32, where the model's step is fused: it hides the latency
   * of reading from the GPU. Default: so many that readings take at most a tenth of the time, as measured.
   */
  runAhead?: number | undefined;
  /** Ends generation from outside, before the next token. */
  signal?: AbortSignal | undefined;
}

/** Options with their defaults, for one prompt. */
export interface Plan {
  /** Token counts of new tokens. */
  most: number;
  least: number;
  stopIds: readonly number[];
  noRepeatNgramSize: number;
  badWords: readonly (readonly number[])[];
  suppressIds: readonly number[];
  beginSuppressIds: readonly number[];
  forcedFirstId: number | undefined;
  forcedLastId: number | undefined;
  seed: number;
  storage: CacheStorage;
  runAhead: number | undefined;
  signal: AbortSignal | undefined;
  sampling: Required<SamplingOptions>;
}

const defaultMaxNewTokens = 64;

/**
 * Options with their defaults, for a prompt of a model.
 *
 * @throws InputError naming the option, its value and what was expected
 */
export function planOf(
  network: Pick<LanguageModel, 'vocabSize'>,
  promptLength: number,
  options: GenerateOptions,
): Plan {
  const count = (name: CountName, least: number) => {
    const value = options[name];
    if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return value;
    throw new InputError(`${name} is ${value}; expected a whole number of at least ${least}`);
  };
  const idsOf = (name: string, ids: readonly number[] | undefined) => {
    for (const id of ids ?? []) checkId(name, id, network.vocabSize);
    return ids ?? [];
  };
  const maxLength = count('maxLength', 1);
  const most =
    count('maxNewTokens', 0) ??
    (maxLength === undefined ? defaultMaxNewTokens : Math.max(0, maxLength - promptLength));
  // Checkpoints keep end tokens that their vocabulary lacks; those never come.
  const stopIds = (options.stopIds ?? []).map((id) =>
    checkId('stopIds', id, Number.POSITIVE_INFINITY),
  );
  return {
    most,
    least: Math.max(count('minNewTokens', 0) ?? 0, (count('minLength', 0) ?? 0) - promptLength),
    stopIds,
    noRepeatNgramSize: count('noRepeatNgramSize', 0) ?? 0,
    badWords: wordsOf(options.badWords ?? [], stopIds, (word) => idsOf('badWords', word)),
    suppressIds: idsOf('suppressIds', options.suppressIds),
    beginSuppressIds: idsOf('beginSuppressIds', options.beginSuppressIds),
    forcedFirstId: idsOf('forcedFirstId', listOf(options.forcedFirstId))[0],
    forcedLastId: idsOf('forcedLastId', listOf(options.forcedLastId))[0],
    seed: options.seed ?? 0,
    storage: options.storage ?? 'f32',
    runAhead: count('runAhead', 1),
    signal: options.signal,
    sampling: checkedSampling(options),
  };
}

type CountName =
  | 'maxNewTokens'
  | 'maxLength'
  | 'minNewTokens'
  | 'minLength'
  | 'noRepeatNgramSize'
  | 'runAhead';

function listOf(id: number | undefined): readonly number[] {
  return id === undefined ? [] : [id];
}

/** The words that are kept from occurring; a stop id alone is not one, as in Hugging Face's `generate`. */
function wordsOf(
  words: readonly (readonly number[])[],
  stopIds: readonly number[],
  checked: (word: readonly number[]) => readonly number[],
): readonly (readonly number[])[] {
  return words.map(checked).filter((word) => {
    if (word.length === 0) throw new InputError('badWords has a word without tokens');
    return word.length > 1 || !stopIds.includes(word[0]!);
  });
}

function checkId(name: string, id: number, vocabSize: number): number {
  if (!(Number.isInteger(id) && id >= 0)) {
    throw new InputError(`${name}: id is ${quoted(id)}; expected a whole number of at least 0`);
  }
  if (id < vocabSize) return id;
  throw new InputError(`${name}: id ${id} is outside the vocabulary of ${vocabSize} tokens`);
}
