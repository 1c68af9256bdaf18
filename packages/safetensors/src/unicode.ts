import { SafetensorsError, show } from './errors.js';

/**
 * Refuses half a surrogate pair, which UTF-8 cannot hold.
 * @throws SafetensorsError naming `key` and the text
 */
export function checkText(text: string, { file, key }: { file: string; key: string }): void {
  if (/\p{Surrogate}/u.test(text)) {
    throw new SafetensorsError(file, key, `${show(text)} is not well-formed Unicode`);
  }
}

/** The order of code points and of UTF-8 bytes, which differs from JavaScript's order of UTF-16 units above U+FFFF. */
export function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others, but their units lie below U+E000. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
