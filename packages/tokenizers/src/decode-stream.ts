import { appendBytes } from './decoders/byte-level.js';

/** Decodes token by token. */
export interface DecodeStream {
  /** The text that a token makes certain; never half a character. */
  push(id: number): string;
  /** The text that is left; what is no whole character becomes U+FFFD. */
  end(): string;
}

/** Decodes byte-level tokens: the bytes of a character wait for its last one. */
export function byteStream(tokenOf: (id: number) => string): DecodeStream {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  return {
    push(id) {
      const bytes: number[] = [];
      appendBytes(tokenOf(id), bytes);
      return utf8.decode(Uint8Array.from(bytes), { stream: true });
    },
    end: () => utf8.decode(),
  };
}

/**
 * Decodes with any decoder: what the tokens since the last text add to those of the last text, once they end with a
 * whole character.
 */
export function windowStream(decode: (ids: readonly number[]) => string): DecodeStream {
  let ids: number[] = [];
  /** The first of `ids` gave this text. */
  let before = '';
  let known = 0;
  return {
    push(id) {
      ids.push(id);
      const text = decode(ids);
      if (text.length <= before.length || text.endsWith('\ufffd')) return '';
      const added = text.slice(before.length);
      ids = ids.slice(known);
      known = ids.length;
      before = decode(ids);
      return added;
    },
    end() {
      const added = decode(ids).slice(before.length);
      ids = [];
      before = '';
      known = 0;
      return added;
    },
  };
}
