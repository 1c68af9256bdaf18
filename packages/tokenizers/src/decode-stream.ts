import { appendBytes } from './decoders/byte-level.js';

/** Decodes token by token. */
export interface DecodeStream {
  /** The text that a token makes certain; never half a character. */
  push(id: number): string;
  /** The text that is left; what is not a whole character becomes U+FFFD. */
  end(): string;
}

/** Decodes tokens as `DecodeStream` decodes their ids. */
interface TokenStream {
  push(token: string): string;
  end(): string;
}

/** Decodes byte-level tokens: the bytes of a character wait for its last one. */
export function byteStream(): TokenStream {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  return {
    push(token) {
      const bytes: number[] = [];
      appendBytes(token, bytes);
      return utf8.decode(Uint8Array.from(bytes), { stream: true });
    },
    end: () => utf8.decode(),
  };
}

/**
 * Decodes with any decoder: the text that the tokens since the last piece add to it, once they end with a
 * whole character.
 */
export function windowStream(decode: (tokens: readonly string[]) => string): TokenStream {
  let tokens: string[] = [];
  /** The first of `tokens` gave this text. */
  let before = '';
  let known = 0;
  return {
    push(token) {
      tokens.push(token);
      const text = decode(tokens);
      if (text.length <= before.length || text.endsWith('\ufffd')) return '';
      const added = text.slice(before.length);
      tokens = tokens.slice(known);
      known = tokens.length;
      before = decode(tokens);
      return added;
    },
    end() {
      const added = decode(tokens).slice(before.length);
      tokens = [];
      before = '';
      known = 0;
      return added;
    },
  };
}
