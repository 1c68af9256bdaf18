import type { Tokenizer } from '@headwise/tokenizers';

/** A token and where it lies in its text. */
export interface TokenSpan {
  id: number;
  /** As the vocabulary spells it. */
  token: string;
  /** UTF-16 code units of the text. */
  start: number;
  end: number;
}

/** The tokens of a text with their places. */
export function spansOf(tokenizer: Tokenizer, text: string): TokenSpan[] {
  const { ids, tokens, offsets } = tokenizer.encode(text);
  return ids.map((id, i) => ({
    id,
    token: tokens[i]!,
    start: offsets[i]![0],
    end: offsets[i]![1],
  }));
}
