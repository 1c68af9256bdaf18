import { InputError, quoted } from '@headwise/core';
import type { Encoding, Tokenizer } from '@headwise/tokenizers';

/** The languages of a translation, by the tokenizer's tokens: `fra_Latn` in NLLB, `fr_XX` in mBART, `fr` for `__fr__` in M2M100. */
export interface Languages {
  /** Of the prompt; default the tokenizer's own. */
  source?: string | undefined;
  /** Of what is written; default as the model's settings force it, or as the model likes. */
  target?: string | undefined;
}

/** How languages are spelt as tokens: M2M100's, mBART's and NLLB's. */
const spelt = /^(__[a-z]{2,3}__|[a-z]{2}_[A-Z]{2}|[a-z]{3}_[A-Z][a-z]{3})$/;

/**
 * The id of a language.
 *
 * @throws InputError for one that the tokenizer has no token of
 */
export function languageId(tokenizer: Tokenizer, name: string, which: keyof Languages): number {
  const id = tokenizer.tokenToId(`__${name}__`) ?? tokenizer.tokenToId(name);
  const token = id === undefined ? undefined : tokenizer.idToToken(id);
  if (id !== undefined && spelt.test(token!)) return id;
  const known = tokenizer.addedTokens.map(({ content }) => content).filter((t) => spelt.test(t));
  const some =
    known.length > 8
      ? `${known.slice(0, 8).join(', ')} and ${known.length - 8} more`
      : known.join(', ');
  throw new InputError(
    `languages: '${which}' is ${quoted(name)}; ${known.length === 0 ? 'the tokenizer has no tokens of languages' : `expected one of ${some}`}`,
  );
}

/** The setting that has a text begin with the token of its language. */
export const writtenIn = (
  tokenizer: Tokenizer,
  { target }: Languages,
): { forcedFirstId?: number | undefined } =>
  target === undefined ? {} : { forcedFirstId: languageId(tokenizer, target, 'target') };

/**
 * The ids of a text whose language is not the tokenizer's own: its token takes the place of that one.
 *
 * @throws InputError for a language without a token, and where the tokenizer puts no language beside a text
 */
export function inLanguage(
  tokenizer: Tokenizer,
  { ids, specialTokensMask }: Pick<Encoding, 'ids' | 'specialTokensMask'>,
  source: string,
): number[] {
  const own = languageId(tokenizer, source, 'source');
  const places = ids.flatMap((id, i) =>
    specialTokensMask[i] === 1 && spelt.test(tokenizer.idToToken(id) ?? '') ? [i] : [],
  );
  if (places.length === 1) return ids.map((id, i) => (i === places[0] ? own : id));
  throw new InputError(
    `languages: 'source' is ${quoted(source)}, and the tokenizer puts ${places.length} languages beside a text; expected one`,
  );
}
