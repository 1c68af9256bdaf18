import { bpeJson, byteLevelFrame, emptyFrame, specialTokenJson } from '../formats/frames.js';
import { stringList, type Texts } from '../string-lists.js';
import { byteAlphabet } from '../text/bytes.js';
import { Tokenizer } from '../tokenizer.js';
import { alphabetOf } from './alphabet.js';
import { learnMerges } from './learn-merges.js';
import { checkMinFrequency, checkVocabSize, type MergeOptions, withUnknown } from './options.js';
import { countWords } from './words.js';

const unknownToken = '<unk>';

/** Options of byte-level BPE training; its alphabet is the 256 bytes. */
export type TrainByteLevelOptions = Omit<MergeOptions, 'limitAlphabet' | 'initialAlphabet'>;

/**
 * Learns a byte-level BPE vocabulary, as GPT-2's: every text can be encoded, and decodes to itself.
 *
 * @throws TokenizerError where the vocabulary has no room for the 256 bytes
 * @see Sennrich, Haddow and Birch 2016, https://arxiv.org/abs/1508.07909
 */
export async function trainByteLevelBpe(
  texts: Texts,
  options: TrainByteLevelOptions,
): Promise<Tokenizer> {
  const specialTokens = stringList(options.specialTokens ?? [], 'specialTokens');
  const frame = byteLevelFrame();
  const parts = { normalizer: null, preTokenizer: frame.pre_tokenizer, ...options };
  const first = unique([...specialTokens, ...byteAlphabet]);
  checkVocabSize(
    options.vocabSize,
    first.length,
    `${specialTokens.length} special tokens and 256 bytes`,
  );
  const { tokens, merges } = await learn(texts, parts, () => first);
  return Tokenizer.fromJSON({
    ...frame,
    normalizer: parts.normalizer,
    pre_tokenizer: parts.preTokenizer,
    added_tokens: specialTokens.map(specialTokenJson),
    model: bpeJson(idsOf(tokens), merges),
  });
}

/**
 * Learns a BPE vocabulary of characters; a character that it lacks becomes the unknown token.
 *
 * Words are cut in front of spaces, which are written as `▁`, so that tokens decode to the text.
 *
 * @throws TokenizerError where the vocabulary has no room for the characters
 * @see Sennrich, Haddow and Birch 2016, https://arxiv.org/abs/1508.07909
 */
export async function trainBpe(texts: Texts, options: MergeOptions): Promise<Tokenizer> {
  const specialTokens = withUnknown(options.specialTokens ?? [], unknownToken);
  const parts = { normalizer: null, preTokenizer: metaspace, ...options };
  const { tokens, merges } = await learn(texts, parts, (words) =>
    firstTokens(words, specialTokens, options),
  );
  return Tokenizer.fromJSON({
    ...emptyFrame(),
    normalizer: parts.normalizer,
    pre_tokenizer: parts.preTokenizer,
    decoder: parts.preTokenizer === metaspace ? metaspace : { type: 'Fuse' },
    added_tokens: specialTokens.map(specialTokenJson),
    model: bpeJson(idsOf(tokens), merges, { unk_token: unknownToken }),
  });
}

/** Writes spaces as `▁`, and cuts in front of them. */
export const metaspace: Readonly<Record<string, unknown>> = {
  type: 'Metaspace',
  replacement: '▁',
  prepend_scheme: 'always',
  split: true,
};

/** The special tokens and the characters of some words. */
export function firstTokens(
  words: ReadonlyMap<string, number>,
  specialTokens: readonly string[],
  { vocabSize, limitAlphabet, initialAlphabet }: MergeOptions,
): string[] {
  const alphabet = alphabetOf(words, limitAlphabet, initialAlphabet);
  const first = unique([...specialTokens, ...alphabet]);
  checkVocabSize(
    vocabSize,
    first.length,
    `${specialTokens.length} special tokens and ${alphabet.length} characters`,
  );
  return first;
}

/** The parts of the pipeline that cut texts into words. */
interface Parts {
  normalizer: unknown;
  preTokenizer: unknown;
}

/** Counts the words of some texts and learns merges from them. */
export async function learn(
  texts: Texts,
  options: Omit<MergeOptions, keyof Parts> & Parts,
  first: (words: ReadonlyMap<string, number>) => readonly string[],
  continuingPrefix = '',
): Promise<ReturnType<typeof learnMerges>> {
  const { vocabSize, minFrequency = 0, onProgress, signal } = options;
  checkMinFrequency(minFrequency);
  const { counts: words } = await countWords(texts, options, signal);
  return learnMerges(words, {
    first: first(words),
    vocabSize,
    minFrequency,
    continuingPrefix,
    onMerge: (tokens) => {
      signal?.throwIfAborted();
      onProgress?.(tokens, vocabSize);
    },
  });
}

export const idsOf = (tokens: readonly string[]): Record<string, number> =>
  Object.fromEntries(tokens.map((token, id) => [token, id]));

const unique = (tokens: readonly string[]): string[] => [...new Set(tokens)];
