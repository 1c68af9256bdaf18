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
