import { checkWhole } from '../errors.js';
import { suffixArray } from './suffix-array.js';

/** Stands between texts: no byte of UTF-8. */
const separator = 0xff;

/** A range of a text, in UTF-16 code units as `slice` takes them. */
export type Span = readonly [start: number, end: number];

/**
 * The spans of texts that repeat, byte by byte, at least `length` bytes that stand before them in any of the texts.
 *
 * The first occurrence of everything stays, unlike in the paper, which may remove all. Spans are cut to whole characters. The texts and
 * their suffix array are held: about 20 bytes of memory for each byte of text.
 *
 * @param length bytes, at least 1; the paper's 50 tokens are about 200
 * @returns for each text its spans, in order and apart
 * @see Lee et al. 2021, https://arxiv.org/abs/2107.06499
 */
export function repeatedSubstrings(texts: readonly string[], length: number): Span[][] {
  checkWhole('length', length, 1);
  const encoder = new TextEncoder();
  const parts = texts.map((text) => encoder.encode(text));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length + 1, 0));
  bytes.fill(separator);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length + 1;
  }
  const repeats = repeatedWindows(bytes, length);
  at = 0;
  return parts.map((part, i) => {
    const start = at;
    at += part.length + 1;
    return spansOf(texts[i]!, part, repeats, start, length);
  });
}

/** A text without some spans of it. */
export function withoutSpans(text: string, spans: readonly Span[]): string {
  let kept = '';
  let at = 0;
  for (const [start, end] of spans) {
    kept += text.slice(at, start);
    at = end;
  }
  return kept + text.slice(at);
}

/** One byte a place: 1 where a window of `length` bytes begins that an earlier one is equal to. */
function repeatedWindows(bytes: Uint8Array, length: number): Uint8Array {
  const repeats = new Uint8Array(bytes.length);
  const order = suffixArray(bytes);
  const common = commonPrefixes(bytes, order);
  for (let from = 0; from < order.length; ) {
    // The suffixes from `from` to `to` have their first bytes in common.
    let first = order[from]!;
    let to = from + 1;
    while (to < order.length && common[to]! >= length) first = Math.min(first, order[to++]!);
    for (let k = from; k < to; k++) if (order[k] !== first) repeats[order[k]!] = 1;
    from = to;
  }
  return repeats;
}

/** For each suffix in order the bytes that it has in common with the one before it (Kasai et al. 2001). */
function commonPrefixes(bytes: Uint8Array, order: Int32Array): Int32Array {
  const ranks = new Int32Array(order.length);
  for (let k = 0; k < order.length; k++) ranks[order[k]!] = k;
  const common = new Int32Array(order.length);
  let same = 0;
  for (let i = 0; i < order.length; i++) {
    const rank = ranks[i]!;
    if (rank === 0) {
      same = 0;
      continue;
    }
    const before = order[rank - 1]!;
    while (Math.max(i, before) + same < bytes.length && bytes[i + same] === bytes[before + same]) {
      same++;
    }
    common[rank] = same;
    if (same > 0) same--;
  }
  return common;
}

const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;

/** The union of the windows that repeat within one text, as spans of its characters. */
function spansOf(
  text: string,
  bytes: Uint8Array,
  repeats: Uint8Array,
  offset: number,
  length: number,
): Span[] {
  const inBytes: [number, number][] = [];
  for (let i = 0; i + length <= bytes.length; i++) {
    if (repeats[offset + i] === 0) continue;
    const last = inBytes.at(-1);
    if (last && i <= last[1]) last[1] = i + length;
    else inBytes.push([i, i + length]);
  }
  const spans: Span[] = [];
  let byte = 0;
  let unit = 0;
  /** The code unit of the character that begins at a byte. */
  const unitAt = (target: number) => {
    for (; byte < target; unit++) {
      const code = text.charCodeAt(unit);
      const isPair = code >= 0xd800 && code < 0xdc00 && text.codePointAt(unit)! > 0xffff;
      byte += code < 0x80 ? 1 : code < 0x800 ? 2 : isPair ? 4 : 3;
      if (isPair) unit++;
    }
    return unit;
  };
  for (let [start, end] of inBytes) {
    while (isContinuation(bytes[start])) start++;
    while (end > start && isContinuation(bytes[end])) end--;
    if (end > start) spans.push([unitAt(start), unitAt(end)]);
  }
  return spans;
}
