import type { Fields } from '../fields.js';
import { classOf, number, punctuation, space, word } from '../text/classes.js';
import { classFinder, type Finder } from '../text/pattern.js';
import type { Pieces } from '../text/pieces.js';
import type { PreTokenizer } from './pre-tokenizer.js';
import { readBehavior, splitPieces } from './split.js';

const spaces: Finder = classFinder((codePoint) => (classOf(codePoint) & space) !== 0);
const punctuations: Finder = classFinder((codePoint) => (classOf(codePoint) & punctuation) !== 0);

/** Cuts at white space, and between words and other signs: `\w+|[^\w\s]+`. */
export function readWhitespace(): PreTokenizer {
  const kindOf = (codePoint: number) => {
    const found = classOf(codePoint);
    return (found & word) !== 0 ? 1 : (found & space) !== 0 ? 0 : 2;
  };
  return {
    split(pieces) {
      const { text } = pieces;
      pieces.split((start, end, bounds) => {
        let from = start;
        let last = 0;
        for (let at = start; at < end; ) {
          const codePoint = text.codePoint(at);
          const kind = kindOf(codePoint);
          if (kind !== last) {
            if (last !== 0) bounds.push(from, at);
            from = at;
            last = kind;
          }
          at += codePoint > 0xffff ? 2 : 1;
        }
        if (last !== 0) bounds.push(from, end);
      });
    },
  };
}

/** Cuts at white space. */
export function readWhitespaceSplit(): PreTokenizer {
  return { split: (pieces) => splitPieces(pieces, spaces, 'removed') };
}

/** Cuts at white space, and around each punctuation sign. */
export function readBertPreTokenizer(): PreTokenizer {
  return {
    split(pieces) {
      splitPieces(pieces, spaces, 'removed');
      splitPieces(pieces, punctuations, 'isolated');
    },
  };
}

/** Cuts at punctuation. */
export function readPunctuation(fields: Fields): PreTokenizer {
  const behavior = readBehavior(fields, 'Isolated');
  return { split: (pieces) => splitPieces(pieces, punctuations, behavior) };
}

/** Cuts around numbers: each digit alone, or runs of them. */
export function readDigits(fields: Fields): PreTokenizer {
  const behavior = fields.boolean('individual_digits', false) ? 'isolated' : 'contiguous';
  const numbers = classFinder((codePoint) => (classOf(codePoint) & number) !== 0);
  return { split: (pieces) => splitPieces(pieces, numbers, behavior) };
}

/** Cuts at a character, which is left out. */
export function readCharDelimiterSplit(fields: Fields): PreTokenizer {
  const codePoint = fields.character('delimiter').codePointAt(0)!;
  const delimiters = classFinder((other) => other === codePoint);
  return { split: (pieces) => splitPieces(pieces, delimiters, 'removed') };
}

/** Cuts into pieces of so many characters. */
export function readFixedLength(fields: Fields): PreTokenizer {
  const length = fields.count('length', 5);
  if (length === 0) fields.refuse('length', 'a whole number of at least 1');
  return { split: (pieces) => cutEvenly(pieces, length) };
}

function cutEvenly(pieces: Pieces, length: number): void {
  const { text } = pieces;
  pieces.split((start, end, bounds) => {
    let from = start;
    let count = 0;
    for (let at = start; at < end; ) {
      at += text.codePoint(at) > 0xffff ? 2 : 1;
      if (++count < length && at < end) continue;
      bounds.push(from, at);
      from = at;
      count = 0;
    }
  });
}
