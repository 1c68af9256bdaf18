import { emptyFrame, specialTokenJson } from '../formats/frames.js';
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
    model: {
      type: 'WordPiece',
      unk_token: unknownToken,
      continuing_subword_prefix: continuingPrefix,
      max_input_chars_per_word: 100,
      vocab: idsOf(tokens),
    },
  });
}
