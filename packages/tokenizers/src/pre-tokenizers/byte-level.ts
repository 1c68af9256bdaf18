import type { Fields } from '../fields.js';
import { regexFinder } from '../text/pattern.js';
import type { PreTokenizer } from './pre-tokenizer.js';
import { gpt2Pattern } from './scanners.js';
import { splitPieces } from './split.js';

const blank = 32;

/**
 * Cuts into words as GPT-2, and has the model see the printable characters of their bytes.
 *
 * @see Radford et al. 2019, Language Models are Unsupervised Multitask Learners
 */
export function readByteLevel(fields: Fields): PreTokenizer {
  const addPrefixSpace = fields.boolean('add_prefix_space', true);
  const useRegex = fields.boolean('use_regex', true);
  const words = regexFinder(gpt2Pattern);
  return {
    split(pieces) {
      pieces.writeBytes();
      if (addPrefixSpace) pieces.prefix(blank, (start) => pieces.text.units[start] !== blank);
      if (useRegex) splitPieces(pieces, words, 'isolated');
      pieces.bytes = true;
    },
  };
}
