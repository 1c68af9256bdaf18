import { InputError } from '@headwise/core';
import type { MaskingUnit } from '@headwise/data';
import type { Tokenizer } from '@headwise/tokenizers';

/** What is masked at once of a text: a token, a word with all of its tokens, or a span of words. */
export const maskings = ['token', 'whole-word', 'span'] as const;

/** What is masked at once of a text: a token, a word with all of its tokens, or a span of words. */
export type Masking = (typeof maskings)[number];

/** The `unit` of `maskTokens` for each masking. */
export const maskingUnits: Readonly<Record<Masking, MaskingUnit>> = {
  token: 'token',
  'whole-word': 'word',
  span: 'span',
};

/** Whether masking needs the words of tokens. */
export const masksWords = (masking: Masking = 'token'): boolean => masking !== 'token';

/**
 * Refuses words and spans of a tokenizer that does not tell words apart.
 *
 * @param name of the caller or the file, for errors
 */
export function checkMasking(
  masking: Masking | undefined,
  tokenizer: Pick<Tokenizer, 'cutsWords'>,
  name?: string,
): void {
  if (!masksWords(masking) || tokenizer.cutsWords) return;
  throw new InputError(
    `${name === undefined ? '' : `${name}: `}'data.masking' is '${masking}' and the tokenizer has no marks of words: nothing in its tokenizer.json ('pre_tokenizer') cuts a text into them; expected 'token', or another tokenizer`,
  );
}
