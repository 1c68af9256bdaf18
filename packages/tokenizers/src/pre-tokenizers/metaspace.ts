import type { Fields } from '../fields.js';
import { literalFinder } from '../text/pattern.js';
import type { Pieces } from '../text/pieces.js';
import type { PreTokenizer } from './pre-tokenizer.js';
import { splitPieces } from './split.js';

const blank = 32;

/** How a metaspace pre-tokenizer or decoder treats the first word. */
export type PrependScheme = 'always' | 'first' | 'never';

/** Reads `prepend_scheme`, or the older `add_prefix_space`. */
export function readPrependScheme(fields: Fields): PrependScheme {
  const scheme = fields.oneOf('prepend_scheme', ['always', 'first', 'never'] as const, 'always');
  if (fields.boolean('add_prefix_space', true)) return scheme;
  if (fields.has('prepend_scheme') && scheme !== 'never') {
    fields.refuse('add_prefix_space', `true, since 'prepend_scheme' is "${scheme}"`);
  }
  return 'never';
}

/** Writes spaces as `▁`, puts one in front, and cuts in front of each, as SentencePiece. */
export function readMetaspace(fields: Fields): PreTokenizer {
  const replacement = fields.string('replacement', '▁');
  const sign = replacement.codePointAt(0);
  if (sign === undefined || sign > 0xffff || replacement.length !== 1) {
    fields.refuse('replacement', 'one character');
  }
  const scheme = readPrependScheme(fields);
  const split = fields.boolean('split', true);
  const finder = literalFinder(replacement);
  return {
    split(pieces, first) {
      pieces.writeBytes();
      const { text } = pieces;
      for (let i = 0; i < text.length; i++) if (text.units[i] === blank) text.units[i] = sign!;
      if (scheme === 'always' || (scheme === 'first' && first)) {
        prependSign(pieces, sign!, scheme === 'first');
      }
      if (split) splitPieces(pieces, finder, 'merged-with-next');
    },
  };
}

function prependSign(pieces: Pieces, sign: number, firstOnly: boolean): void {
  const { text, bounds } = pieces;
  if (bounds.length === 0) return;
  if (bounds.length === 2 && bounds[0] === 0) {
    if (text.units[0] === sign) return;
    text.prepend(String.fromCharCode(sign));
    pieces.bounds = [0, text.length];
    return;
  }
  pieces.rewrite((out, start, end, index) => {
    if (text.units[start] !== sign && !(firstOnly && index > 0)) out.put(sign, start);
    out.keep(start, end);
  });
}
