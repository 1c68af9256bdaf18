import { TokenizerError } from './errors.js';
import { byteAlphabet, toByteChars } from './text/bytes.js';
import { Tokenizer } from './tokenizer.js';
import { learnMerges, type Merge } from './train-bpe.js';

const wordPattern =
  /'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Texts to learn from. */
export type Texts = Iterable<string> | AsyncIterable<string>;

export interface TrainBpeOptions {
  /** Special tokens, bytes and merges together. */
  vocabSize: number;
  /** Pairs that occur less often are not merged; default 0. */
  minFrequency?: number;
  /** The first ids; default none. */
  specialTokens?: readonly string[];
  /** Told how many merges of how many are made. */
  onProgress?: (made: number, total: number) => void;
  signal?: AbortSignal;
}

/**
 * Learns a byte-level BPE vocabulary, as GPT-2's: every text can be encoded, and decodes to itself.
 *
 * @throws TokenizerError where the vocabulary has no room for the 256 bytes
 * @see Sennrich, Haddow and Birch 2016, https://arxiv.org/abs/1508.07909
 */
export async function trainByteLevelBpe(
  texts: Texts,
  options: TrainBpeOptions,
): Promise<Tokenizer> {
  const { vocabSize, minFrequency = 0, specialTokens = [], onProgress, signal } = options;
  const first = [...specialTokens, ...byteAlphabet];
  if (!(Number.isInteger(vocabSize) && vocabSize >= first.length)) {
    throw new TokenizerError(
      `vocabSize is ${vocabSize}; expected at least ${first.length}: ${specialTokens.length} special tokens and 256 bytes`,
    );
  }
  const words = new Map<string, number>();
  for await (const text of texts) {
    signal?.throwIfAborted();
    for (const [word] of text.matchAll(wordPattern)) words.set(word, (words.get(word) ?? 0) + 1);
  }
  const chars = new Map([...words].map(([word, count]) => [toByteChars(word), count]));
  const room = vocabSize - first.length;
  const merges = learnMerges(chars, byteAlphabet, room, {
    minFrequency,
    onMerge: (made) => {
      signal?.throwIfAborted();
      onProgress?.(made, room);
    },
  });
  return byteLevelTokenizer(first, merges, specialTokens);
}

/**
 * Makes a vocabulary of the characters of some texts, in the order of their code points.
 *
 * A character that it lacks becomes the unknown token, id 0.
 */
export async function trainCharacter(
  texts: Texts,
  { unknownToken = '<unk>' }: { unknownToken?: string } = {},
): Promise<Tokenizer> {
  const seen = new Set<string>();
  for await (const text of texts) for (const char of text) seen.add(char);
  const chars = [...seen].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
  return Tokenizer.fromJSON({
    ...frame([unknownToken]),
    pre_tokenizer: null,
    decoder: { type: 'Fuse' },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknownToken,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries([unknownToken, ...chars].map((token, id) => [token, id])),
      merges: [],
    },
  });
}

function byteLevelTokenizer(
  first: readonly string[],
  merges: readonly Merge[],
  specialTokens: readonly string[],
): Tokenizer {
  const tokens = new Set([...first, ...merges.map(([left, right]) => left + right)]);
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: true,
  };
  return Tokenizer.fromJSON({
    ...frame(specialTokens),
    pre_tokenizer: byteLevel,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries([...tokens].map((token, id) => [token, id])),
      merges,
    },
  });
}

/** What every `tokenizer.json` of ours holds beside its model. */
const frame = (specialTokens: readonly string[]): Record<string, unknown> => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: specialTokens.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: null,
  post_processor: null,
});
