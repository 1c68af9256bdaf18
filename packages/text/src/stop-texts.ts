import { InputError } from '@headwise/core';

/** Finds the first of some stop texts in a text that comes in pieces, and holds back what may be the beginning of one. */
export class StopTexts {
  readonly #stops: readonly string[];
  #held = '';

  /** @throws InputError for an empty text */
  constructor(stops: readonly string[]) {
    if (stops.includes(''))
      throw new InputError('stop has an empty text; expected some characters');
    this.#stops = stops;
  }

  /** @returns the text that is certain, and the first stop text where one came, which is left out with all behind it */
  push(piece: string): { text: string; stop: string | undefined } {
    const text = this.#held + piece;
    const places = this.#stops.map((stop) => text.indexOf(stop));
    const first = Math.min(...places.filter((place) => place >= 0));
    if (first < text.length) {
      return { text: text.slice(0, first), stop: this.#stops[places.indexOf(first)] };
    }
    const certain = text.length - begunLength(text, this.#stops);
    this.#held = text.slice(certain);
    return { text: text.slice(0, certain), stop: undefined };
  }

  /** The text that was held back, at the end. */
  end(): string {
    return this.#held;
  }
}

/** The length of the longest end of a text that one of some marks begins with, without being whole. */
export function begunLength(text: string, marks: readonly string[]): number {
  const longest = Math.max(0, ...marks.map(({ length }) => length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(-length);
    if (marks.some((mark) => mark.startsWith(end))) return length;
  }
  return 0;
}
