import type { Fields } from '../fields.js';
import { classOf, control, space } from '../text/classes.js';
import { isLaterNonspacing } from '../text/later-unicode.js';
import type { NormalizedText } from '../text/normalized-text.js';
import type { Normalizer } from './normalizer.js';
import { lowercase } from './simple.js';
import { filterCharacters, mapCharacters } from './transform.js';
import { unicodeForm } from './unicode.js';

const blank = 32;
const nonspacing = /[\p{Mn}\u1734\u{1171e}]/u;
const decomposed = unicodeForm('NFD');

/** Cleans, sets Chinese characters apart, strips accents and lower-cases, as BERT. */
export function readBertNormalizer(fields: Fields): Normalizer {
  const cleans = fields.boolean('clean_text', true);
  const chinese = fields.boolean('handle_chinese_chars', true);
  const lowercases = fields.boolean('lowercase', true);
  const strips = fields.has('strip_accents') ? fields.boolean('strip_accents') : lowercases;
  return {
    normalize(text) {
      const ascii = isPlain(text);
      if (cleans) clean(text, ascii);
      if (chinese && !ascii) {
        mapCharacters(text, (codePoint) =>
          isChinese(codePoint) ? [blank, codePoint, blank] : undefined,
        );
      }
      if (strips && !ascii) {
        decomposed.normalize(text);
        filterCharacters(text, (codePoint) => !isNonspacing(codePoint));
      }
      if (lowercases) lowercase(text);
    },
  };
}

/** Whether all is ASCII without control characters, but for tab, line feed and carriage return. */
function isPlain({ units, length }: NormalizedText): boolean {
  for (let i = 0; i < length; i++) {
    const unit = units[i]!;
    if (unit >= 0x7f || (unit < blank && !isBreak(unit))) return false;
  }
  return true;
}

const isBreak = (unit: number): boolean => unit === 9 || unit === 10 || unit === 13;

const isNonspacing = (codePoint: number): boolean =>
  codePoint >= 0x300 &&
  nonspacing.test(String.fromCodePoint(codePoint)) &&
  !isLaterNonspacing(codePoint);

function clean(text: NormalizedText, ascii: boolean): void {
  if (!ascii) {
    filterCharacters(
      text,
      (codePoint) =>
        codePoint !== 0xfffd &&
        (isBreak(codePoint) || (codePoint !== 0 && (classOf(codePoint) & control) === 0)),
    );
  }
  const { units, length } = text;
  for (let i = 0; i < length; i++) {
    const unit = units[i]!;
    if (isBreak(unit) || (unit > 0x7f && (classOf(unit) & space) !== 0)) units[i] = blank;
  }
}

/** The blocks that BERT takes for Chinese. */
function isChinese(c: number): boolean {
  return (
    (c >= 0x4e00 && c <= 0x9fff) ||
    (c >= 0x3400 && c <= 0x4dbf) ||
    (c >= 0x20000 && c <= 0x2a6df) ||
    (c >= 0x2a700 && c <= 0x2b73f) ||
    (c >= 0x2b740 && c <= 0x2b81f) ||
    (c >= 0x2b920 && c <= 0x2ceaf) ||
    (c >= 0xf900 && c <= 0xfaff) ||
    (c >= 0x2f800 && c <= 0x2fa1f)
  );
}
