import { InputError } from '@headwise/core';

/** A piece of a template: a text as it stands, or the name of a slot. */
export type Piece = string | { readonly slot: string };

const slotPattern = /\{\{ *([A-Za-z_]\w*) *\}\}/g;

/**
 * The pieces of a text with slots, `{{name}}`.
 *
 * @param where the prompt and the part of it, for errors
 * @throws InputError for `{{` that begins no slot
 */
export function parseText(text: string, where: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(slotPattern)) {
    pieces.push(text.slice(at, match.index), { slot: match[1]! });
    at = match.index + match[0].length;
  }
  pieces.push(text.slice(at));
  for (const piece of pieces) {
    const stray = typeof piece === 'string' ? piece.indexOf('{{') : -1;
    if (stray >= 0) {
      throw new InputError(
        `${where}: '${(piece as string).slice(stray, stray + 20)}' begins no slot; expected '{{name}}', and such a text as the value of a slot`,
      );
    }
  }
  return pieces.filter((piece) => piece !== '');
}

/** The names of the slots of some pieces, each once, in order. */
export const slotsOf = (pieces: readonly Piece[]): string[] => [
  ...new Set(pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.slot]))),
];
