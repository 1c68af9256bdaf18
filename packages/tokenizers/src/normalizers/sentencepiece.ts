import type { Fields } from '../fields.js';
import { outgrown } from '../limits.js';
import {
  codePointAt,
  type NormalizedText,
  sizeOf,
  stringToUnits,
} from '../text/normalized-text.js';
import { Trie } from '../text/trie.js';
import { type Prefix, readCharsmap } from './charsmap.js';
import type { Normalizer } from './normalizer.js';

const blank = 32;
const lowLine = 0x2581;

/**
 * SentencePiece's own normalizer: the longest match in its table at each place, symbols that users defined left as they
 * are, white space collapsed, and `▁` for it.
 *
 * @see https://github.com/google/sentencepiece/blob/master/src/normalizer.cc
 */
export function readSentencePieceNormalizer(fields: Fields): Normalizer {
  const table = fields.has('precompiled_charsmap') ? readCharsmap(fields) : undefined;
  const addsPrefix = fields.boolean('add_dummy_prefix', true);
  const collapses = fields.boolean('remove_extra_whitespaces', true);
  const asSuffix = fields.boolean('treat_whitespace_as_suffix', false);
  const symbols = new Trie();
  for (const symbol of fields.array('user_defined_symbols')) {
    if (typeof symbol !== 'string') fields.refuse('user_defined_symbols', 'an array of strings');
    symbols.set(stringToUnits(symbol as string), (symbol as string).length);
  }
  const prefixAt = (units: Uint16Array, at: number, end: number): Prefix => {
    const symbol = longestSymbol(symbols, units, at, end);
    if (symbol > 0) return [symbol, codePointsOf(units, at, at + symbol)];
    const found = table?.longest(units, at, end);
    if (found) return found;
    const codePoint = codePointAt(units, at, end);
    return [sizeOf(codePoint), [codePoint]];
  };
  return {
    normalize(text) {
      const { units, length } = text;
      let at = 0;
      while (collapses && at < length) {
        const [taken, codePoints] = prefixAt(units, at, length);
        if (codePoints.length !== 1 || codePoints[0] !== blank) break;
        at += taken;
      }
      const out: number[] = [];
      const places: number[] = [];
      const put = (codePoint: number, place: number) => {
        out.push(codePoint === blank ? lowLine : codePoint);
        places.push(place);
        if (out.length > text.room) throw outgrown('normalizer', text.room);
      };
      const hasText = at < length;
      if (hasText && addsPrefix && !asSuffix) put(lowLine, at);
      let afterSpace = collapses;
      while (at < length) {
        const [taken, codePoints] = prefixAt(units, at, length);
        let from = 0;
        while (afterSpace && codePoints[from] === blank) from++;
        for (let i = from; i < codePoints.length; i++) {
          put(codePoints[i]!, at + Math.min(i, taken - 1));
        }
        if (from < codePoints.length) afterSpace = codePoints.at(-1) === blank;
        if (!collapses) afterSpace = false;
        at += taken;
      }
      while (collapses && out.at(-1) === lowLine) out.pop();
      if (hasText && addsPrefix && asSuffix) put(lowLine, length - 1);
      write(text, out, places);
    },
  };
}

function write(
  text: NormalizedText,
  codePoints: readonly number[],
  places: readonly number[],
): void {
  text.rewrite((out) => {
    codePoints.forEach((codePoint, i) => {
      out.put(codePoint, places[i]!);
    });
  });
}

function longestSymbol(symbols: Trie, units: Uint16Array, at: number, end: number): number {
  let longest = 0;
  let node = 0;
  for (let i = at; i < end; i++) {
    node = symbols.step(node, units[i]!);
    if (node < 0) break;
    longest = Math.max(longest, symbols.value(node));
  }
  return longest;
}

function codePointsOf(units: Uint16Array, from: number, to: number): number[] {
  const codePoints: number[] = [];
  for (let at = from; at < to; ) {
    const codePoint = codePointAt(units, at, to);
    codePoints.push(codePoint);
    at += sizeOf(codePoint);
  }
  return codePoints;
}
