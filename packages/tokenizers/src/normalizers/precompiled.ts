import type { Fields } from '../fields.js';
import { outgrown } from '../limits.js';
import type { NormalizedText } from '../text/normalized-text.js';
import { offsetOf, readCharsmap } from './charsmap.js';
import type { Normalizer } from './normalizer.js';
import { type Transform, transform } from './transform.js';

/**
 * SentencePiece's table of replacements: a double-array trie of UTF-8 and the texts that its leaves point to.
 *
 * @see https://github.com/google/sentencepiece/blob/master/doc/normalization.md
 */
export function readPrecompiled(fields: Fields): Normalizer {
  const { trie, bytes } = readCharsmap(fields);
  return charsMap(trie, bytes);
}

/** Replaces graphemes and characters as a table says. */
export function charsMap(trie: Uint32Array, texts: Uint8Array): Normalizer {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
  const found = new Map<string, string | undefined>();
  const lookUp = (part: string): string | undefined => {
    if (found.has(part)) return found.get(part);
    const at = firstLeaf(trie, encoder.encode(part));
    const text = at < 0 ? undefined : decoder.decode(texts.subarray(at, texts.indexOf(0, at)));
    if (found.size > 10_000) found.clear();
    found.set(part, text);
    return text;
  };
  const segmentsOf = (chunk: string) =>
    Array.from(segmenter.segment(chunk), ({ segment }) => segment);
  /** ASCII that the table leaves as it is. */
  const plain = Uint8Array.from({ length: 128 }, (_, unit) =>
    unit !== 13 && lookUp(String.fromCharCode(unit)) === undefined ? 1 : 0,
  );
  const isPlain = ({ units, length }: NormalizedText) => {
    for (let i = 0; i < length; i++) if (plain[units[i]!] !== 1) return false;
    return true;
  };
  return {
    normalize(text) {
      if (isPlain(text)) return;
      const out: Transform = { codePoints: [], changes: [] };
      let changed = false;
      const replaceWith = (old: string, replacement: string) => {
        changed ||= old !== replacement;
        replace(out, [...old].length, replacement);
        if (out.codePoints.length > text.room) throw outgrown('normalizer', text.room);
      };
      for (const chunk of chunksOf(text.toString())) {
        const graphemes = chunk.length === 1 ? [chunk] : segmentsOf(chunk);
        for (const grapheme of graphemes) {
          const short = grapheme.length < 6 && encoder.encode(grapheme).length < 6;
          const whole = short ? lookUp(grapheme) : undefined;
          if (whole !== undefined) replaceWith(grapheme, whole);
          else for (const char of grapheme) replaceWith(char, lookUp(char) ?? char);
        }
      }
      if (changed) transform(text, out);
    },
  };
}

/** Cuts a text between neighbours in ASCII, which are never one grapheme, but for a line break. */
function chunksOf(text: string): string[] {
  const chunks: string[] = [];
  const cuts = (i: number) => text.charCodeAt(i) < 128 && text[i] !== '\r';
  let from = 0;
  for (let i = 1; i <= text.length; i++) {
    if (i < text.length && !(cuts(i - 1) && cuts(i))) continue;
    chunks.push(text.slice(from, i));
    from = i;
  }
  return chunks;
}

/** Puts a text in the place of the next `count` characters. */
function replace({ codePoints, changes }: Transform, count: number, text: string): void {
  const from = codePoints.length;
  for (const char of text) {
    codePoints.push(char.codePointAt(0)!);
    changes.push(0);
  }
  const added = codePoints.length - from - count;
  if (added > 0) changes.fill(1, codePoints.length - added);
  else if (added < 0 && codePoints.length > 0) changes[codePoints.length - 1]! += added;
}

/** Where the text of the shortest key that some bytes begin with stands, or −1. */
function firstLeaf(trie: Uint32Array, bytes: Uint8Array): number {
  let at = offsetOf(trie[0] ?? 0);
  for (const byte of bytes) {
    if (byte === 0) return -1;
    at ^= byte;
    const unit = trie[at] ?? 0;
    if ((unit & 0x800000ff) >>> 0 !== byte) return -1;
    at ^= offsetOf(unit);
    if (((unit >>> 8) & 1) === 1) return (trie[at] ?? 0) & 0x7fffffff;
  }
  return -1;
}
