import type { Fields } from '../fields.js';
import { utf8Byte, utf8Length } from '../text/bytes.js';
import { codePointAt, sizeOf } from '../text/normalized-text.js';

/** What stands at a place of a text: how many code units, and the code points that they become. */
export type Prefix = [length: number, codePoints: readonly number[]];

/** A table of replacements: a double-array trie of UTF-8, and the texts that its leaves point to. */
export class Charsmap {
  readonly #texts = new Map<number, readonly number[]>();

  constructor(
    readonly trie: Uint32Array,
    readonly bytes: Uint8Array,
  ) {}

  /** The longest key that a text begins with at a place, and what stands for it; undefined where there is none. */
  longest(units: Uint16Array, from: number, end: number): Prefix | undefined {
    const { trie } = this;
    let node = offsetOf(trie[0] ?? 0);
    let best: [length: number, place: number] | undefined;
    for (let at = from; at < end; ) {
      const codePoint = codePointAt(units, at, end);
      const length = utf8Length(codePoint);
      at += sizeOf(codePoint);
      for (let i = 0; i < length; i++) {
        const byte = utf8Byte(codePoint, i, length);
        node ^= byte;
        const unit = trie[node] ?? 0;
        if (byte === 0 || (unit & 0x800000ff) >>> 0 !== byte) return this.#found(best);
        node ^= offsetOf(unit);
        if (((unit >>> 8) & 1) === 1) best = [at - from, (trie[node] ?? 0) & 0x7fffffff];
      }
    }
    return this.#found(best);
  }

  #found(best: [length: number, place: number] | undefined): Prefix | undefined {
    if (!best) return undefined;
    const [length, place] = best;
    let text = this.#texts.get(place);
    if (!text) {
      const end = this.bytes.indexOf(0, place);
      const part = this.bytes.subarray(place, end < 0 ? this.bytes.length : end);
      const decoded = new TextDecoder('utf-8', { ignoreBOM: true }).decode(part);
      text = Array.from(decoded, (char) => char.codePointAt(0)!);
      this.#texts.set(place, text);
    }
    return [length, text];
  }
}

/** Reads `precompiled_charsmap`, in base64. */
export function readCharsmap(fields: Fields): Charsmap {
  const bytes = decodeBase64(fields);
  const size = bytes.length >= 4 ? new DataView(bytes.buffer).getUint32(0, true) : -1;
  if (size < 0 || size % 4 !== 0 || 4 + size > bytes.length) {
    fields.refuse('precompiled_charsmap', 'a table with its size in front');
  }
  const trie = new Uint32Array(bytes.slice(4, 4 + size).buffer);
  return new Charsmap(trie, bytes.subarray(4 + size));
}

/** Where the children of a unit of a double array begin. */
export const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

function decodeBase64(fields: Fields): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(fields.string('precompiled_charsmap')), (c) => c.charCodeAt(0));
  } catch {
    return fields.refuse('precompiled_charsmap', 'base64');
  }
}
