import type { Tokenizer } from '@headwise/tokenizers';
import { hexOf, labelOf } from '../text/token-text.js';

/** A token and where it lies in its text. */
export interface TokenSpan {
  id: number;
  /** As a person reads it. */
  label: string;
  /** As the vocabulary spells it. */
  token: string;
  /** The bytes of a token that holds bytes, in hexadecimal. */
  bytes?: string;
  /** UTF-16 code units of the text. */
  start: number;
  end: number;
}

/** The tokens of a text with their places. */
export function spansOf(tokenizer: Tokenizer, text: string): TokenSpan[] {
  const { ids, tokens, offsets } = tokenizer.encode(text);
  return ids.map((id, i) => {
    const bytes = hexOf(tokenizer, id);
    return {
      id,
      label: labelOf(tokenizer, id, ids.slice(Math.max(0, i - 1), i)),
      token: tokens[i]!,
      ...(bytes === undefined ? {} : { bytes }),
      start: offsets[i]![0],
      end: offsets[i]![1],
    };
  });
}
