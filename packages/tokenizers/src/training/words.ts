import { readNormalizer } from '../normalizers/read.js';
import { readPreTokenizer } from '../pre-tokenizers/read.js';
import { eachText, type Texts } from '../string-lists.js';
import { NormalizedText, unitsToString } from '../text/normalized-text.js';
import { Pieces } from '../text/pieces.js';

/** The words of some texts, in the order in which they came first. */
export interface WordCounts {
  /** Occurrences by word. */
  counts: Map<string, number>;
  /** Of these, those at the end of a text. */
  lasts: Map<string, number>;
}

/** Counts the words of some texts, normalized and cut as the tokenizer will do it. */
export async function countWords(
  texts: Texts,
  parts: { normalizer?: unknown; preTokenizer?: unknown },
  signal?: AbortSignal,
): Promise<WordCounts> {
  const normalizer = readNormalizer(parts.normalizer, 'normalizer');
  const preTokenizer = readPreTokenizer(parts.preTokenizer, 'pre_tokenizer');
  const text = new NormalizedText();
  const pieces = new Pieces(text);
  const counts = new Map<string, number>();
  const lasts = new Map<string, number>();
  const add = (to: Map<string, number>, word: string) => to.set(word, (to.get(word) ?? 0) + 1);
  for await (const sequence of eachText(texts, signal)) {
    text.load(sequence);
    normalizer?.normalize(text);
    pieces.reset();
    preTokenizer?.split(pieces);
    pieces.writeBytes();
    const { bounds } = pieces;
    for (let i = 0; i < bounds.length; i += 2) {
      const word = unitsToString(text.units, bounds[i]!, bounds[i + 1]!);
      add(counts, word);
      if (i + 2 === bounds.length) add(lasts, word);
    }
  }
  return { counts, lasts };
}

/** A word and how often it occurs. */
export interface CountedWord {
  units: Uint16Array;
  count: number;
}
