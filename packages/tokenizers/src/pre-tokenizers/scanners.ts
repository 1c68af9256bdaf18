import { classOf, latinClasses, letter, number, space } from '../text/classes.js';
import { codePointAt } from '../text/normalized-text.js';

/** Where the match that begins at unit `i` of `[0, end)` ends; for patterns that match at every place. */
export type Scanner = (units: Uint16Array, i: number, end: number) => number;

/** The pattern of GPT-2, which the byte-level pre-tokenizer uses. */
export const gpt2Pattern: string =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const llamaPattern = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

const lineFeed = 10;
const carriageReturn = 13;
const blank = 32;
const apostrophe = 39;
const noWord = letter | number | space;

/** The scanner for a pattern, where there is one. */
export function scannerOf(pattern: string): Scanner | undefined {
  return scanners.get(pattern);
}

const scanners: ReadonlyMap<string, Scanner> = new Map([
  [gpt2Pattern, scanGpt2],
  [llamaPattern('\\p{N}{1,3}'), (units, i, end) => scanLlama(units, i, end, 3)],
  [llamaPattern('\\p{N}'), (units, i, end) => scanLlama(units, i, end, 1)],
]);

function classAt(units: Uint16Array, i: number, end: number): number {
  const unit = units[i]!;
  return unit < 256 ? latinClasses[unit]! : classOf(codePointAt(units, i, end));
}

/** The unit after the character at `i`. */
function after(units: Uint16Array, i: number, end: number): number {
  return (units[i]! & 0xfc00) === 0xd800 && i + 1 < end && (units[i + 1]! & 0xfc00) === 0xdc00
    ? i + 2
    : i + 1;
}

/** The end of the characters from `i` on that have, or with `without` lack, all classes of `mask`. */
function runEnd(
  units: Uint16Array,
  i: number,
  end: number,
  mask: number,
  without: boolean,
): number {
  while (i < end) {
    const unit = units[i]!;
    if (unit < 256) {
      if (((latinClasses[unit]! & mask) === 0) !== without) return i;
      i++;
    } else {
      if (((classOf(codePointAt(units, i, end)) & mask) === 0) !== without) return i;
      i = after(units, i, end);
    }
  }
  return i;
}

/** The end of ASCII letters with or without a blank in front of them, or 0 where that is not the whole match. */
function plainWordEnd(units: Uint16Array, i: number, end: number): number {
  const from = units[i] === blank ? i + 1 : i;
  let at = from;
  while (at < end) {
    // The letters of both cases differ in one bit.
    const unit = units[at]! | 32;
    if (unit < 0x61 || unit > 0x7a) break;
    at++;
  }
  return at > from && (at === end || units[at]! < 128) ? at : 0;
}

function scanGpt2(units: Uint16Array, i: number, end: number): number {
  const plain = plainWordEnd(units, i, end);
  if (plain > 0) return plain;
  const unit = units[i]!;
  if (unit === apostrophe) {
    const contraction = contractionEnd(units, i, end, false);
    if (contraction > 0) return contraction;
  }
  const from = unit === blank && i + 1 < end ? i + 1 : i;
  const found = classAt(units, from, end);
  if ((found & letter) !== 0) return runEnd(units, from, end, letter, false);
  if ((found & number) !== 0) return runEnd(units, from, end, number, false);
  if ((found & space) === 0) return runEnd(units, from, end, noWord, true);
  return spacesEnd(i, runEnd(units, from, end, space, false), end);
}

/** As GPT-4's, Llama 3's and Qwen 2's, which differ in how many digits go together. */
function scanLlama(units: Uint16Array, i: number, end: number, digits: number): number {
  const plain = plainWordEnd(units, i, end);
  if (plain > 0) return plain;
  const unit = units[i]!;
  if (unit === apostrophe) {
    const contraction = contractionEnd(units, i, end, true);
    if (contraction > 0) return contraction;
  }
  const found = classAt(units, i, end);
  if ((found & letter) !== 0) return runEnd(units, i, end, letter, false);
  if ((found & number) !== 0) {
    let at = after(units, i, end);
    for (let n = 1; n < digits && at < end && (classAt(units, at, end) & number) !== 0; n++) {
      at = after(units, at, end);
    }
    return at;
  }
  const next = after(units, i, end);
  if (unit !== lineFeed && unit !== carriageReturn && next < end) {
    if ((classAt(units, next, end) & letter) !== 0) return runEnd(units, next, end, letter, false);
  }
  const from = unit === blank ? next : i;
  if (from < end && (classAt(units, from, end) & noWord) === 0) {
    let at = runEnd(units, from, end, noWord, true);
    while (at < end && (units[at] === lineFeed || units[at] === carriageReturn)) at++;
    return at;
  }
  const to = runEnd(units, i, end, space, false);
  for (let at = to; at > i; at--) {
    if (units[at - 1] === lineFeed || units[at - 1] === carriageReturn) return at;
  }
  return spacesEnd(i, to, end);
}

/** `\s+(?!\S)|\s+` over the white space `[i, to)`: all but its last character, which goes with a word behind it. */
function spacesEnd(i: number, to: number, end: number): number {
  return to < end && to - i > 1 ? to - 1 : to;
}

/** The end of `'s 't 're 've 'm 'll 'd` at an apostrophe, or 0. */
function contractionEnd(units: Uint16Array, i: number, end: number, anyCase: boolean): number {
  if (i + 1 >= end) return 0;
  const first = lowered(units[i + 1]!, anyCase);
  if (first === 0x73 || first === 0x74 || first === 0x6d || first === 0x64) return i + 2;
  if (i + 2 >= end) return 0;
  const second = lowered(units[i + 2]!, anyCase);
  const found =
    (first === 0x72 && second === 0x65) ||
    (first === 0x76 && second === 0x65) ||
    (first === 0x6c && second === 0x6c);
  return found ? i + 3 : 0;
}

function lowered(unit: number, anyCase: boolean): number {
  if (!anyCase) return unit;
  if (unit >= 0x41 && unit <= 0x5a) return unit + 32;
  // The long s is another case of s.
  return unit === 0x17f ? 0x73 : unit;
}
