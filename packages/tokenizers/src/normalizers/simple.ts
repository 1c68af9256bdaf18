import type { Fields } from '../fields.js';
import { byteToUnit, utf8Byte, utf8Length } from '../text/bytes.js';
import { accent, classOf, space } from '../text/classes.js';
import { type NormalizedText, stringToUnits } from '../text/normalized-text.js';
import { matchesIn, readFinder } from '../text/pattern.js';
import type { Normalizer } from './normalizer.js';
import { filterCharacters, mapCharacters } from './transform.js';

/** Lower-cases each character by itself. */
export function lowercase(text: NormalizedText): void {
  const { units, length } = text;
  let ascii = true;
  for (let i = 0; i < length; i++) {
    const unit = units[i]!;
    if (unit >= 0x41 && unit <= 0x5a) units[i] = unit + 32;
    else if (unit >= 0x80) ascii = false;
  }
  if (!ascii) mapCharacters(text, lowered);
}

function lowered(codePoint: number): number[] | undefined {
  if (codePoint < 0x80) return undefined;
  const char = String.fromCodePoint(codePoint);
  const other = char.toLowerCase();
  return other === char ? undefined : Array.from(other, (part) => part.codePointAt(0)!);
}

export const readLowercase = (): Normalizer => ({ normalize: lowercase });

/** Leaves out marks, which only stand apart after NFD. */
export function readStripAccents(): Normalizer {
  return {
    normalize: (text) => filterCharacters(text, (codePoint) => (classOf(codePoint) & accent) === 0),
  };
}

/** Leaves out white space at either end. */
export function readStrip(fields: Fields): Normalizer {
  const left = fields.boolean('strip_left', true);
  const right = fields.boolean('strip_right', true);
  const isSpace = (unit: number) => (classOf(unit) & space) !== 0;
  return {
    normalize(text) {
      let from = 0;
      let to = text.length;
      if (left) while (from < to && isSpace(text.units[from]!)) from++;
      if (right) while (to > from && isSpace(text.units[to - 1]!)) to--;
      if (to - from < text.length) text.rewrite((out) => out.keep(from, to));
    },
  };
}

/** Puts some text in front. */
export function readPrepend(fields: Fields): Normalizer {
  const front = fields.string('prepend');
  return { normalize: (text) => text.prepend(front) };
}

/** Puts a text in the place of each match of a pattern. */
export function readReplace(fields: Fields): Normalizer {
  const finder = readFinder(fields, 'pattern');
  const content = fields.string('content');
  const codePoints = Array.from(content, (char) => char.codePointAt(0)!);
  const [unit] = stringToUnits(content);
  const literal = (fields.value('pattern') as { String?: unknown } | undefined)?.String;
  if (typeof literal === 'string' && literal.length === 1 && content.length === 1) {
    const [old] = stringToUnits(literal);
    return { normalize: (text) => replaceUnit(text, old!, unit!) };
  }
  return {
    normalize(text) {
      const matches = matchesIn(finder, text.units, 0, text.length);
      if (matches.length === 0) return;
      if (content.length === 1 && matches.every(([start, end]) => end === start + 1)) {
        // One unit for another leaves every place as it is.
        for (const [start] of matches) text.units[start] = unit!;
        return;
      }
      text.rewrite((out) => {
        let at = 0;
        for (const [start, end] of matches) {
          out.keep(at, start);
          for (const codePoint of codePoints) out.put(codePoint, end - 1);
          at = end;
        }
        out.keep(at, out.sourceLength);
      });
    },
  };
}

/** Puts one code unit in the place of another. */
function replaceUnit(text: NormalizedText, from: number, to: number): void {
  const { units, length } = text;
  for (let i = 0; i < length; i++) if (units[i] === from) units[i] = to;
}

/** Leaves out control characters and makes unusual spaces plain ones, as SentencePiece's `nmt`. */
export function readNmt(): Normalizer {
  const dropped = (c: number) =>
    (c >= 1 && c <= 8) ||
    c === 11 ||
    (c >= 14 && c <= 31) ||
    c === 0x7f ||
    c === 0x8f ||
    c === 0x9f;
  const blanks = new Set([
    9, 10, 12, 13, 0x1680, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x2581, 0xfeff,
    0xfffd,
  ]);
  return {
    normalize(text) {
      filterCharacters(text, (codePoint) => !dropped(codePoint));
      for (let i = 0; i < text.length; i++) if (blanks.has(text.units[i]!)) text.units[i] = 32;
    },
  };
}

/** Writes each character as the printable characters of its UTF-8 bytes. */
export function readByteLevelNormalizer(): Normalizer {
  return {
    normalize: (text) =>
      mapCharacters(text, (codePoint) => {
        const length = utf8Length(codePoint);
        return Array.from({ length }, (_, i) => byteToUnit[utf8Byte(codePoint, i, length)]!);
      }),
  };
}
