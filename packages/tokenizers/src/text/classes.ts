import { isLaterFormat, isLaterMark, isLaterPunctuation } from './later-unicode.js';

/** What a code point is, as bits. */
export const letter = 1;
export const number = 2;
export const space = 4;
export const mark = 8;
/** Lu or Lt. */
export const upper = 16;
/** Ll. */
export const lower = 32;
/** A letter, mark, decimal digit, connector or joiner, as Rust's `\w`. */
export const word = 64;
/** ASCII's signs and category P, as the reference knows it. */
export const punctuation = 128;
/** Cc, Cf or Co: what BERT throws away, but for tab, line feed and carriage return. */
export const control = 256;
/** M, as the reference knows it. */
export const accent = 512;

const tests: readonly (readonly [bit: number, pattern: RegExp])[] = [
  [letter, /\p{L}/u],
  [number, /\p{N}/u],
  [space, /\p{White_Space}/u],
  [mark, /\p{M}/u],
  [upper, /[\p{Lu}\p{Lt}]/u],
  [lower, /\p{Ll}/u],
  [word, /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u],
  [punctuation, /[\p{P}\u166d\u{111c9}!-/:-@[-`{-~]/u],
  [control, /[\p{Cc}\p{Cf}\p{Co}]/u],
  [accent, /[\p{M}\u1cf2\u1cf3]/u],
];

/** Classes of 256 code points each, filled when first asked. */
const pages: (Uint16Array | undefined)[] = new Array<Uint16Array | undefined>(0x1100).fill(
  undefined,
);

function fill(page: number): Uint16Array {
  const classes = new Uint16Array(256);
  for (let i = 0; i < 256; i++) {
    const codePoint = page * 256 + i;
    // An unpaired surrogate counts as U+FFFD, as which it is encoded.
    const isSurrogate = codePoint >= 0xd800 && codePoint < 0xe000;
    const char = String.fromCodePoint(isSurrogate ? 0xfffd : codePoint);
    for (const [bit, pattern] of tests) if (pattern.test(char)) classes[i]! |= bit;
    if (isLaterMark(codePoint)) classes[i]! &= ~accent;
    if (isLaterPunctuation(codePoint)) classes[i]! &= ~punctuation;
    if (isLaterFormat(codePoint)) classes[i]! &= ~control;
  }
  pages[page] = classes;
  return classes;
}

/** The classes of ASCII and Latin-1. */
export const latinClasses: Uint16Array = fill(0);

/** The classes of a code point. */
export function classOf(codePoint: number): number {
  const page = codePoint >> 8;
  return (pages[page] ?? fill(page))[codePoint & 255]!;
}
