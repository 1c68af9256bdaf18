import type { Tokenizer } from '@headwise/tokenizers';

/** A token of a text, and what it adds to that text. */
export interface Piece {
  id: number;
  /** All texts of a row of pieces, one after the other, are the text of their tokens exactly. */
  text: string;
  /** The bytes of a token that holds a part of a character only, in hexadecimal. */
  bytes?: string;
}

/** Adds tokens to a text one by one. */
export class Pieces {
  readonly #tokenizer: Tokenizer;
  readonly #stream: ReturnType<Tokenizer['decodeStream']>;

  /** @param before tokens that the text begins with, and that are not returned */
  constructor(tokenizer: Tokenizer, before: readonly number[] = []) {
    this.#tokenizer = tokenizer;
    this.#stream = tokenizer.decodeStream({ skipSpecialTokens: false });
    for (const id of before) this.push(id);
  }

  push(id: number): Piece {
    // A padded vocabulary has ids without a token: they add nothing.
    if (this.#tokenizer.idToToken(id) === undefined) return { id, text: '' };
    const text = this.#stream.push(id);
    const bytes = text === '' ? hexOf(this.#tokenizer, id) : undefined;
    return { id, text, ...(bytes === undefined ? {} : { bytes }) };
  }

  /** The text that is left at the end: half a character, as U+FFFD. */
  end(): string {
    return this.#stream.end();
  }
}

/** The pieces of a whole text. */
export function piecesOf(tokenizer: Tokenizer, ids: readonly number[]): Piece[] {
  const pieces = new Pieces(tokenizer);
  const all = ids.map((id) => pieces.push(id));
  const rest = pieces.end();
  const last = all.at(-1);
  if (last && rest !== '') last.text += rest;
  return all;
}

/**
 * What a person reads for a token alone: its text, or its bytes, where they are a part of a character.
 *
 * @param before tokens that it follows: some decoders take away a space at the start of a text
 */
export function labelOf(tokenizer: Tokenizer, id: number, before: readonly number[] = []): string {
  const token = tokenizer.idToToken(id);
  if (token === undefined) return `#${id}, no token`;
  const decode = (ids: readonly number[]) => tokenizer.decode(ids, { skipSpecialTokens: false });
  const known = before.slice(-1).filter((one) => tokenizer.idToToken(one) !== undefined);
  const start = decode(known);
  const whole = decode([...known, id]);
  const text = whole.startsWith(start) ? whole.slice(start.length) : decode([id]);
  if (text !== '' && !text.includes('\ufffd')) return text;
  return labelOfBytes(hexOf(tokenizer, id)) ?? token;
}

/** Bytes that are not a character by themselves, marked to differ from letters and digits. */
export function labelOfBytes(bytes: string | undefined): string | undefined {
  return bytes === undefined ? undefined : `⟨${bytes}⟩`;
}

/** The bytes of a token in hexadecimal; undefined if it does not hold bytes. */
export function hexOf(tokenizer: Tokenizer, id: number): string | undefined {
  const bytes = tokenizer.tokenBytes(id);
  if (!bytes || bytes.length === 0) return undefined;
  return [...bytes].map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
}
