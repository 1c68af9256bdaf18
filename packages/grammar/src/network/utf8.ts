import type { CharRange } from '../expression.js';

/** A run of byte values, both included. */
export type ByteRange = readonly [low: number, high: number];

/** The last code point of each length of UTF-8, and the bits of its first byte. */
const lengths = [
  [0x7f, 0],
  [0x7ff, 0xc0],
  [0xffff, 0xe0],
  [0x10ffff, 0xf0],
] as const;

/** The UTF-8 of a range of characters: sequences of byte ranges, all of whose products are characters of it. */
export function* utf8Sequences([first, last]: CharRange): Generator<readonly ByteRange[]> {
  let from = first;
  for (const [n, [end, mark]] of lengths.entries()) {
    if (from > end) continue;
    const to = Math.min(last, end);
    if (from <= to) yield* sequencesOf(from, to, n, mark);
    from = Math.max(from, end + 1);
    if (from > last) return;
  }
}

/** @param n continuation bytes @param mark added to the first byte */
function* sequencesOf(
  from: number,
  to: number,
  n: number,
  mark: number,
): Generator<readonly ByteRange[]> {
  if (n === 0) {
    yield [[mark + from, mark + to]];
    return;
  }
  const size = 64 ** n;
  for (let at = from; at <= to; ) {
    const head = Math.floor(at / size);
    const end = (head + 1) * size - 1;
    if (at % size === 0 && to >= end) {
      // Whole blocks share their continuation bytes.
      const heads = Math.floor((to + 1) / size) - 1;
      yield [
        [mark + head, mark + heads],
        ...Array.from({ length: n }, (): ByteRange => [0x80, 0xbf]),
      ];
      at = (heads + 1) * size;
      continue;
    }
    const stop = Math.min(to, end);
    for (const rest of sequencesOf(at % size, stop % size, n - 1, 0x80)) {
      yield [[mark + head, mark + head], ...rest];
    }
    at = stop + 1;
  }
}

export const encodeChar = (code: number): Uint8Array =>
  new TextEncoder().encode(String.fromCodePoint(code));
