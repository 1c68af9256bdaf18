import { TokenizerError } from '../errors.js';
import { stringList } from '../string-lists.js';

/** Options of every tokenizer training. */
export interface TrainOptions {
  /** Tokens at most, special ones among them. */
  vocabSize: number;
  /** The first ids; default none, or the unknown token where the model needs one. */
  specialTokens?: readonly string[] | undefined;
  /** As `tokenizer.json` describes it; default none. */
  normalizer?: Readonly<Record<string, unknown>> | undefined;
  /** As `tokenizer.json` describes it; the default depends on the model. */
  preTokenizer?: Readonly<Record<string, unknown>> | undefined;
  /** Told how much of how much is done. */
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Options of trainings that merge pairs. */
export interface MergeOptions extends TrainOptions {
  /** Pairs that occur less often are not merged; default 0. */
  minFrequency?: number | undefined;
  /** Characters at most to begin with, the most frequent ones; default all. */
  limitAlphabet?: number | undefined;
  /** Characters to begin with even where the texts lack them. */
  initialAlphabet?: readonly string[] | undefined;
}

/** @throws TokenizerError where the vocabulary has no room for its first tokens */
export function checkVocabSize(vocabSize: number, least: number, what: string): void {
  if (Number.isSafeInteger(vocabSize) && vocabSize >= least) return;
  throw new TokenizerError(`vocabSize is ${vocabSize}; expected at least ${least}: ${what}`);
}

/** @throws TokenizerError where the least frequency of a pair is not a whole number of at least 0 */
export function checkMinFrequency(minFrequency: number): void {
  if (Number.isSafeInteger(minFrequency) && minFrequency >= 0) return;
  throw new TokenizerError(
    `minFrequency is ${minFrequency}; expected a whole number of at least 0`,
  );
}

/** The special tokens, with the unknown one in front unless it is among them. */
export function withUnknown(specialTokens: readonly string[], unknown: string): string[] {
  const tokens = stringList(specialTokens, 'specialTokens');
  return tokens.includes(unknown) ? tokens : [unknown, ...tokens];
}
