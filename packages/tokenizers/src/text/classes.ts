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

/** Marks the classes that have been worked out. */
const known = 1024;
/** The classes of 256 code points each, worked out when first asked. */
const pages: (Uint16Array | undefined)[] = new Array<Uint16Array | undefined>(0x1100).fill(
  undefined,
);

function workOut(codePoint: number): number {
  // An unpaired surrogate counts as U+FFFD, as which it is encoded.
  const isSurrogate = codePoint >= 0xd800 && codePoint < 0xe000;
  const char = String.fromCodePoint(isSurrogate ? 0xfffd : codePoint);
  let found = known;
  for (const [bit, pattern] of tests) if (pattern.test(char)) found |= bit;
  if (isLaterMark(codePoint)) found &= ~accent;
  if (isLaterPunctuation(codePoint)) found &= ~punctuation;
  if (isLaterFormat(codePoint)) found &= ~control;
  return found;
}

/** The classes of ASCII and Latin-1. */
export const latinClasses: Uint16Array = Uint16Array.from({ length: 256 }, (_, i) => workOut(i));
pages[0] = latinClasses;

/** The classes of a code point. */
export function classOf(codePoint: number): number {
  const page = codePoint >> 8;
  pages[page] ??= new Uint16Array(256);
  const found = pages[page][codePoint & 255]!;
  if (found !== 0) return found;
  const classes = workOut(codePoint);
  pages[page][codePoint & 255] = classes;
  return classes;
}
