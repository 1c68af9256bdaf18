import { writeKey } from './minhash.js';
import { simplifyText } from './simplify-text.js';

const encoder = new TextEncoder();

/**
 * The key of a text that is compared as a whole: texts that are equal when simplified have equal keys.
 * @returns `[4]`, 128 bits
 */
export function textKey(text: string): Uint32Array {
  return keyOf(simplifyText(text));
}

/** What a text is cut into before its repeated parts are removed: at each line end, or at each blank line. */
export type Part = 'line' | 'paragraph';

const ends = { line: /(?<=\n)/, paragraph: /(?<=\n[^\S\n]*\n)(?![^\S\n]*\n)/ };

/** The lines or paragraphs of a text, with the line ends behind them: joined they are the text. */
export const partsOf = (text: string, part: Part): string[] => text.split(ends[part]);

/**
 * The key of a line or paragraph, as CCNet compares them; undefined where nothing but punctuation and space is left, since
 * such a part is never a duplicate.
 * @see Wenzek et al. 2020, https://arxiv.org/abs/1911.00359
 */
export function partKey(part: string): Uint32Array | undefined {
  const simplified = simplifyText(part);
  return simplified === '' ? undefined : keyOf(simplified);
}

function keyOf(simplified: string): Uint32Array {
  const bytes = encoder.encode(simplified);
  const key = new Uint32Array(4);
  writeKey(key, 0, bytes, 0, bytes.length);
  return key;
}
