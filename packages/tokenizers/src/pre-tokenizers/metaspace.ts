import type { Fields } from '../fields.js';
import { literalFinder } from '../text/pattern.js';
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
    split(pieces) {
      pieces.writeBytes();
      const { text } = pieces;
      for (let i = 0; i < text.length; i++) if (text.units[i] === blank) text.units[i] = sign!;
      if (scheme !== 'never') {
        // `first` is the piece at the beginning of the original text, wherever earlier parts have cut.
        const wants = (start: number) =>
          text.units[start] !== sign && (scheme === 'always' || text.startOf(start) === 0);
        pieces.prefix(sign!, wants);
      }
      if (split) splitPieces(pieces, finder, 'merged-with-next');
    },
  };
}
