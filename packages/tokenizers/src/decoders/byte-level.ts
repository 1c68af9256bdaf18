import { unitToByte } from '../text/bytes.js';
import type { Decoder } from './decoder.js';

const encoder = new TextEncoder();

/** Appends the bytes that a token of printable characters stands for; any other token's own UTF-8. */
export function appendBytes(token: string, bytes: number[]): void {
  const from = bytes.length;
  for (let i = 0; i < token.length; i++) {
    const byte = unitToByte[token.charCodeAt(i)] ?? -1;
    if (byte < 0) {
      bytes.length = from;
      for (const other of encoder.encode(token)) bytes.push(other);
      return;
    }
    bytes.push(byte);
  }
}

/** Reads the printable characters of bytes as UTF-8; invalid bytes become U+FFFD. */
export const readByteLevelDecoder = (): Decoder => ({
  decode(tokens) {
    const bytes: number[] = [];
    for (const token of tokens) appendBytes(token, bytes);
    return [new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes))];
  },
});
