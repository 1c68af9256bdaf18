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
  const replacement = fields.character('replacement', '▁');
  const sign = replacement.codePointAt(0)!;
  const scheme = readPrependScheme(fields);
  const split = fields.boolean('split', true);
  const finder = literalFinder(replacement);
  return {
    split(pieces) {
      pieces.writeBytes();
      const { text } = pieces;
      if (sign <= 0xffff) {
        for (let i = 0; i < text.length; i++) if (text.units[i] === blank) text.units[i] = sign;
      } else writeSigns(pieces, sign);
      if (scheme !== 'never') {
        // `first` is the piece at the beginning of the original text, wherever earlier parts have cut.
        const wants = (start: number) =>
          text.codePoint(start) !== sign && (scheme === 'always' || text.startOf(start) === 0);
        pieces.prefix(sign, wants);
      }
      if (split) splitPieces(pieces, finder, 'merged-with-next');
    },
  };
}

/** Writes a sign of two code units for each space, with its place. */
function writeSigns(pieces: Pieces, sign: number): void {
  const { text } = pieces;
  if (!text.units.subarray(0, text.length).includes(blank)) return;
  pieces.rewrite((out, start, end) => {
    for (let i = start; i < end; i++) {
      if (text.units[i] === blank) out.put(sign, i);
      else out.keep(i, i + 1);
    }
  });
}
