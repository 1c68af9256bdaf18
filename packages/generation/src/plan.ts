import { InputError, type LanguageModel, quoted } from '@headwise/core';
import type { CacheStorage } from '@headwise/decoding';
import { type CheckedSampling, checkedSampling } from '@headwise/kernels/internal';
import { AllowedIds } from './allowed-ids.js';
import { type ContextShift, checkedShift } from './context-shift.js';
import { checkDolaLayers, type DolaLayers } from './dola.js';
import type { GenerateOptions } from './options.js';
import type { PrefixCache } from './prefix-cache/prefix-cache.js';
import type { ForcedIds } from './processors/forced.js';
import type { LengthDecay } from './processors/length-decay.js';
import type { LogitsProcessor } from './processors/own.js';
import type { SequenceBias } from './processors/sequence-bias.js';
import { checkPrompt, type PromptLimits } from './prompt.js';
import { longestDraft } from './speculation/draft-length.js';
import type { Speculation } from './speculation/speculation.js';

/** Options with their defaults, for one prompt. */
export interface Plan {
  /** Token counts of new tokens. */
  most: number;
  least: number;
  stopIds: readonly number[];
  /** The ids of the encoder's input; of a decoder alone, the prompt. */
  source: readonly number[];
  noRepeatNgramSize: number;
  encoderNoRepeatNgramSize: number;
  badWords: readonly (readonly number[])[];
  biases: readonly SequenceBias[];
  suppressIds: readonly number[];
  beginSuppressIds: readonly number[];
  forced: ForcedIds;
  allowed: AllowedIds | undefined;
  lengthDecay: LengthDecay | undefined;
  guidance: { scale: number; prompt: readonly number[] } | undefined;
  dola: DolaLayers | undefined;
  processors: readonly LogitsProcessor[];
  speculation: Speculation | undefined;
  seed: number;
  storage: CacheStorage;
  prefixCache: PrefixCache | undefined;
  contextShift: ContextShift | undefined;
  runAhead: number | undefined;
  /** Milliseconds. */
  maxTime: number;
  signal: AbortSignal | undefined;
  sampling: CheckedSampling;
}

/** How keys and values of past tokens are kept. */
export type CacheOptions = Pick<Plan, 'storage' | 'prefixCache' | 'contextShift'>;

const defaultMaxNewTokens = 64;

/**
 * `planOf`, for a prompt and a negative prompt that are checked too.
 *
 * @throws InputError as `planOf` and `checkPrompt` do
 */
export function checkedPlan(
  network: PromptLimits,
  prompt: readonly number[],
  options: GenerateOptions,
  start?: readonly number[],
): Plan {
  checkPrompt(network, prompt);
  const { negativePrompt } = options;
  if (negativePrompt) checkPrompt(network, negativePrompt, 'negativePrompt');
  options.prefixCache?.check(network);
  const { context } = checkedShift(network.maxLength, options.contextShift);
  if (prompt.length > context) {
    throw new InputError(
      `the prompt has ${prompt.length} tokens; contextShift has a context of ${context}`,
    );
  }
  checkSharedVocabulary(network, options);
  const plan = planOf(network, prompt, options, start);
  // Ids of another vocabulary stand for no token of the output.
  const { vocabSize, sourceVocabSize = vocabSize } = network;
  if (sourceVocabSize !== vocabSize) plan.source = [];
  return plan;
}

/** @throws InputError for options that look for the prompt's ids in the output, where both have different vocabularies */
function checkSharedVocabulary(
  { vocabSize, sourceVocabSize = vocabSize }: PromptLimits,
  { encoderNoRepeatNgramSize = 0, encoderRepetitionPenalty = 1 }: GenerateOptions,
): void {
  if (sourceVocabSize === vocabSize) return;
  const name =
    encoderNoRepeatNgramSize !== 0
      ? 'encoderNoRepeatNgramSize'
      : encoderRepetitionPenalty !== 1
        ? 'encoderRepetitionPenalty'
        : undefined;
  if (name === undefined) return;
  throw new InputError(
    `${name} compares ids of the prompt with those of the output, whose vocabularies have ${sourceVocabSize} and ${vocabSize} ids; expected a model with one vocabulary`,
  );
}

/**
 * Options with their defaults, for a prompt of a model.
 *
 * @param start what new tokens follow: the prompt, or what a decoder that reads an encoded prompt begins with
 * @throws InputError naming the option, its value and what was expected
 */
export function planOf(
  { vocabSize }: Pick<LanguageModel, 'vocabSize'>,
  prompt: readonly number[],
  options: GenerateOptions,
  start: readonly number[] = prompt,
): Plan {
  const count = (name: CountName, least: number) => {
    const value = options[name];
    if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return value;
    throw new InputError(`${name} is ${value}; expected a whole number of at least ${least}`);
  };
  const idsOf = (name: string, given: number | readonly number[] | undefined) => {
    const ids = typeof given === 'number' ? [given] : (given ?? []);
    for (const id of ids) checkId(name, id, vocabSize);
    return ids;
  };
  const maxLength = count('maxLength', 1);
  const most =
    count('maxNewTokens', 0) ??
    (maxLength === undefined ? defaultMaxNewTokens : Math.max(0, maxLength - start.length));
  // Checkpoints keep end tokens that their vocabulary lacks; those never come.
  const stopIds = (options.stopIds ?? []).map((id) =>
    checkId('stopIds', id, Number.POSITIVE_INFINITY),
  );
  const biases = biasesOf(options, idsOf);
  const forbidden = biases.filter(([, bias]) => bias === Number.NEGATIVE_INFINITY);
  const words = wordsOf(options.badWords ?? [], stopIds, (word) => idsOf('badWords', word));
  const suppressIds = idsOf('suppressIds', options.suppressIds);
  const forced = (name: 'forcedFirstId' | 'forcedLastId') => {
    const ids = idsOf(name, options[name]);
    if (ids.length === 0 || ids.some((id) => !suppressIds.includes(id))) return ids;
    throw new InputError(
      `${name} is ${quoted(options[name])}, which suppressIds rules out; expected an id that can be drawn`,
    );
  };
  const least = Math.max(
    count('minNewTokens', 0) ?? 0,
    (count('minLength', 0) ?? 0) - start.length,
  );
  for (const [lower, upper] of [
    ['minNewTokens', 'maxNewTokens'],
    ['minLength', 'maxLength'],
  ] as const) {
    if (!((options[lower] ?? 0) > (options[upper] ?? Number.POSITIVE_INFINITY))) continue;
    throw new InputError(
      `${lower} is ${options[lower]}, above ${upper}, ${options[upper]}; expected at most that`,
    );
  }
  const { constraint, startIds } = options;
  if (startIds && start === prompt) {
    throw new InputError(
      `startIds is ${quoted(startIds)} for a decoder, whose output follows its prompt; expected none`,
    );
  }
  const plan: Plan = {
    most,
    least,
    stopIds,
    source: prompt,
    noRepeatNgramSize: count('noRepeatNgramSize', 0) ?? 0,
    encoderNoRepeatNgramSize: count('encoderNoRepeatNgramSize', 0) ?? 0,
    badWords: [...words, ...forbidden.map(([ids]) => ids)],
    biases: biases.filter(([, bias]) => bias !== Number.NEGATIVE_INFINITY),
    suppressIds,
    beginSuppressIds: idsOf('beginSuppressIds', options.beginSuppressIds),
    forced: { first: forced('forcedFirstId'), last: forced('forcedLastId') },
    allowed: undefined,
    lengthDecay: decayOf(options.lengthDecay),
    guidance: guidanceOf(options, start, start === prompt, idsOf),
    dola: dolaOf(options, start === prompt),
    processors: options.processors ?? [],
    speculation: options.speculation,
    seed: options.seed ?? 0,
    storage: options.storage ?? 'f32',
    prefixCache: options.prefixCache,
    contextShift: options.contextShift,
    runAhead: count('runAhead', 1),
    maxTime: maxTimeOf(options.maxTime),
    signal: options.signal,
    sampling: checkedSampling(options),
  };
  if (plan.speculation && (plan.guidance || plan.dola)) {
    const other = plan.dola ? 'dolaLayers' : `guidanceScale ${options.guidanceScale}`;
    throw new InputError(`speculation is given together with ${other}; expected one of the two`);
  }
  if (constraint) {
    const startLength = start.length;
    const undo = plan.speculation ? longestDraft : 0;
    const limits = { vocabSize, startLength, stopIds, most: mostConstrained(plan), least, undo };
    plan.allowed = new AllowedIds(constraint, limits);
  }
  return plan;
}

/** The most new tokens that a constraint's output may have: where the last one is forced, one less. */
export const mostConstrained = ({ most, forced }: Pick<Plan, 'most' | 'forced'>): number =>
  forced.last.length > 0 ? most - 1 : most;

type CountName =
  | 'maxNewTokens'
  | 'maxLength'
  | 'minNewTokens'
  | 'minLength'
  | 'noRepeatNgramSize'
  | 'encoderNoRepeatNgramSize'
  | 'runAhead';

type IdsOf = (name: string, ids: readonly number[]) => readonly number[];

/** Biases of single tokens and of sequences; of two for the same ids the later one counts, as in Hugging Face's `generate`. */
function biasesOf(options: GenerateOptions, idsOf: IdsOf): SequenceBias[] {
  const single = [...(options.logitBias ?? [])].map(
    ([id, bias]): SequenceBias => [idsOf('logitBias', [id]), bias],
  );
  const sequences = new Map(
    (options.sequenceBias ?? []).map(([ids, bias]) => {
      if (ids.length === 0) throw new InputError('sequenceBias has a sequence without tokens');
      return [ids.join(), [idsOf('sequenceBias', ids), bias] as const];
    }),
  );
  for (const [name, biases] of [
    ['logitBias', single],
    ['sequenceBias', sequences.values()],
  ] as const) {
    for (const [ids, bias] of biases) {
      if (Number.isFinite(bias) || bias === Number.NEGATIVE_INFINITY) continue;
      throw new InputError(`${name} of [${ids.join(', ')}] is ${bias}; expected a number or −∞`);
    }
  }
  return [...single, ...sequences.values()];
}

function maxTimeOf(milliseconds = Number.POSITIVE_INFINITY): number {
  if (milliseconds >= 0) return milliseconds;
  throw new InputError(`maxTime is ${milliseconds}; expected milliseconds, at least 0`);
}

function decayOf(decay: LengthDecay | undefined): LengthDecay | undefined {
  if (!decay) return undefined;
  const { start, factor } = decay;
  if (Number.isSafeInteger(start) && start >= 0 && factor > 0 && Number.isFinite(factor)) {
    return factor === 1 ? undefined : { start, factor };
  }
  throw new InputError(
    `lengthDecay is ${quoted(decay)}; expected a start of at least 0 tokens and a factor above 0`,
  );
}

/** As in Hugging Face's `generate`, the negative prompt is the last token of the prompt where none is given. */
function guidanceOf(
  options: GenerateOptions,
  prompt: readonly number[],
  alone: boolean,
  idsOf: IdsOf,
) {
  const { guidanceScale: scale = 1, negativePrompt } = options;
  if (!Number.isFinite(scale)) {
    throw new InputError(`guidanceScale is ${scale}; expected a number`);
  }
  if (scale === 1) {
    if (!negativePrompt) return undefined;
    throw new InputError('negativePrompt is given, but guidanceScale is 1; expected another scale');
  }
  if (!alone) {
    throw new InputError(
      `guidanceScale is ${scale} for an encoder-decoder; expected 1: guidance is for decoders alone`,
    );
  }
  if (negativePrompt?.length === 0) {
    throw new InputError('negativePrompt is empty; expected at least one token');
  }
  return { scale, prompt: idsOf('negativePrompt', negativePrompt ?? prompt.slice(-1)) };
}

function dolaOf({ dolaLayers, guidanceScale = 1 }: GenerateOptions, alone: boolean) {
  if (!dolaLayers) return undefined;
  checkDolaLayers(dolaLayers);
  if (alone && guidanceScale === 1) return dolaLayers;
  throw new InputError(
    `dolaLayers is given ${alone ? 'with guidanceScale' : 'for an encoder-decoder'}; expected a decoder alone, without guidance`,
  );
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

/** @throws InputError for an id that is not one of the vocabulary */
export function checkId(name: string, id: number, vocabSize: number): number {
  if (!(Number.isInteger(id) && id >= 0)) {
    const given = typeof id === 'number' ? id : quoted(id);
    throw new InputError(`${name}: id is ${given}; expected a whole number of at least 0`);
  }
  if (id < vocabSize) return id;
  throw new InputError(`${name}: id ${id} is outside the vocabulary of ${vocabSize} tokens`);
}
