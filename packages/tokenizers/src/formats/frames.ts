import { gpt2Pattern } from '../pre-tokenizers/scanners.js';

/** The parts of a `tokenizer.json` around a byte-level BPE model. */
export function byteLevelFrame(pattern: string = gpt2Pattern): Record<string, unknown> {
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: pattern === gpt2Pattern,
  };
  const split = {
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Isolated',
    invert: false,
  };
  return {
    ...emptyFrame(),
    pre_tokenizer: byteLevel.use_regex
      ? byteLevel
      : { type: 'Sequence', pretokenizers: [split, byteLevel] },
    decoder: byteLevel,
  };
}

/** The parts of a `tokenizer.json` around a model: none. */
export const emptyFrame = (): Record<string, unknown> => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
});

/** A special token as `tokenizer.json` lists it. */
export const specialTokenJson = (content: string, id: number): Record<string, unknown> => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** A BPE model as `tokenizer.json` holds it. */
export const bpeJson = (
  vocab: Record<string, number>,
  merges: readonly (readonly [left: string, right: string])[],
  options: Record<string, unknown> = {},
): Record<string, unknown> => ({
  type: 'BPE',
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
  ignore_merges: false,
  ...options,
  vocab,
  merges,
});

/** The special tokens of BERT, in the order of its ids. */
export const bertTokens: readonly string[] = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/** BERT's normalizer. */
export const bertNormalizer = (lowercase: boolean): Record<string, unknown> => ({
  type: 'BertNormalizer',
  clean_text: true,
  handle_chinese_chars: true,
  strip_accents: null,
  lowercase,
});

/**
 * BERT's `tokenizer.json`: WordPiece, with `[CLS]` before and `[SEP]` after each text.
 *
 * @param idOf throws where a token is missing
 */
export const bertJson = (
  vocab: ReadonlyMap<string, number>,
  idOf: (token: string) => number,
  lowercase: boolean,
): Record<string, unknown> => ({
  ...emptyFrame(),
  added_tokens: bertTokens
    .filter((token) => vocab.has(token))
    .map((token) => specialTokenJson(token, idOf(token))),
  normalizer: bertNormalizer(lowercase),
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'BertProcessing',
    sep: ['[SEP]', idOf('[SEP]')],
    cls: ['[CLS]', idOf('[CLS]')],
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: wordPieceJson(Object.fromEntries(vocab)),
});

/** A WordPiece model as `tokenizer.json` holds it. */
export const wordPieceJson = (vocab: Record<string, number>): Record<string, unknown> => ({
  type: 'WordPiece',
  unk_token: '[UNK]',
  continuing_subword_prefix: '##',
  max_input_chars_per_word: 100,
  vocab,
});
