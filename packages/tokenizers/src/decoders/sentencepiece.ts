import type { Fields } from '../fields.js';
import { byteOfToken } from '../text/bytes.js';
import type { Decoder } from './decoder.js';

const lowLine = '▁';

/**
 * Writes pieces as SentencePiece does: `▁` as a space, the one in front left out, and the unknown piece as its surface.
 *
 * @see https://github.com/google/sentencepiece/blob/master/src/sentencepiece_processor.cc
 */
export function readSentencePieceDecoder(fields: Fields): Decoder {
  const collapses = fields.boolean('remove_extra_whitespaces', true);
  const strips = collapses || fields.boolean('add_dummy_prefix', true);
  const unknown = fields.optional('unknown');
  const surface = fields.string('unknown_surface', ' ⁇ ');
  return {
    decode(tokens) {
      let atStart = strips;
      return tokens.map((token) => {
        if (token === unknown || byteOfToken(token) >= 0) {
          atStart = false;
          return token === unknown ? surface : token;
        }
        const isBlank = atStart && token.startsWith(lowLine);
        const piece = isBlank ? token.slice(1) : token;
        // Where white space is collapsed, every piece before the text loses its blank.
        if (piece !== '' || (isBlank && !collapses)) atStart = false;
        return piece.replaceAll(lowLine, ' ');
      });
    },
  };
}
