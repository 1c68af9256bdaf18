import type { Tokenizer } from '@headwise/tokenizers';

/** The bytes of a token within a text, with the space before a word where it belongs to the token. */
export function bytesOf(tokenizer: Tokenizer, id: number): Uint8Array {
  const bytes = tokenizer.tokenBytes(id);
  if (bytes) return bytes;
  // At the beginning of a text some decoders leave the space out.
  const [once, twice] = [[id], [id, id]].map((ids) =>
    tokenizer.decode(ids, { skipSpecialTokens: false }),
  );
  return new TextEncoder().encode(twice!.slice(once!.length));
}

/** The text of a token; bytes that are part of a character become `bytes:\xe2\x80`, as in OpenAI's completions. */
export function textOf(tokenizer: Tokenizer, id: number): string {
  const bytes = bytesOf(tokenizer, id);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
  }
}
