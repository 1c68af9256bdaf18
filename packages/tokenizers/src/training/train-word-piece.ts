import {
  bertJson,
  bertNormalizer,
  bertTokens,
  emptyFrame,
  specialTokenJson,
  wordPieceJson,
} from '../formats/frames.js';
import type { Texts } from '../string-lists.js';
import { Tokenizer } from '../tokenizer.js';
import { type MergeOptions, withUnknown } from './options.js';
import { firstTokens, idsOf, learn } from './train-bpe.js';

const unknownToken = '[UNK]';
const continuingPrefix = '##';

/**
 * Learns a WordPiece vocabulary as Hugging Face's `tokenizers` does: by merging the most frequent pairs, tokens
 * inside of words beginning with `##`.
 *
 * @throws TokenizerError where the vocabulary has no room for the characters
 * @see Schuster and Nakajima 2012, Japanese and Korean Voice Search
 */
export async function trainWordPiece(texts: Texts, options: MergeOptions): Promise<Tokenizer> {
  const specialTokens = withUnknown(options.specialTokens ?? [], unknownToken);
  const parts = { normalizer: null, preTokenizer: { type: 'BertPreTokenizer' }, ...options };
  const { tokens } = await learn(
    texts,
    parts,
    (words) => firstTokens(words, specialTokens, options),
    continuingPrefix,
  );
  return Tokenizer.fromJSON({
    ...emptyFrame(),
    normalizer: parts.normalizer,
    pre_tokenizer: parts.preTokenizer,
    decoder: { type: 'WordPiece', prefix: continuingPrefix, cleanup: true },
    added_tokens: specialTokens.map(specialTokenJson),
    model: wordPieceJson(idsOf(tokens)),
  });
}

/** Options of `trainBertWordPiece`: its special tokens, normalizer and pre-tokenizer are BERT's. */
export interface TrainBertOptions
  extends Omit<MergeOptions, 'specialTokens' | 'normalizer' | 'preTokenizer'> {
  /** As the uncased models, which also drop accents. Default true. */
  lowercase?: boolean | undefined;
}

/**
 * Learns BERT's tokenizer: WordPiece with `[PAD] [UNK] [CLS] [SEP] [MASK]` as its first ids, `[CLS]` before and `[SEP]`
 * after each text.
 *
 * @throws TokenizerError where the vocabulary has no room for the characters
 * @example
 * const tokenizer = await trainBertWordPiece(lines, { vocabSize: 8000 });
 * tokenizer.encodePair('Who?', 'Ishmael.').tokens; // [CLS] who ? [SEP] ishmael . [SEP]
 * @see Devlin et al. 2018, https://arxiv.org/abs/1810.04805
 */
export async function trainBertWordPiece(
  texts: Texts,
  { lowercase = true, ...options }: TrainBertOptions,
): Promise<Tokenizer> {
  const normalizer = bertNormalizer(lowercase);
  const learned = await trainWordPiece(texts, {
    ...options,
    normalizer,
    specialTokens: bertTokens,
  });
  const tokens = learned.idsToTokens(Array.from({ length: learned.vocabSize }, (_, id) => id));
  const vocab = new Map(tokens.map((token, id) => [token!, id]));
  return Tokenizer.fromJSON(bertJson(vocab, (token) => vocab.get(token)!, lowercase));
}
