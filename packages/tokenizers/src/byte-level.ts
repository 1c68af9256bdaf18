/**
 * GPT-2's split into words: contractions, letters, digits, other signs, each with one space before it,
 * and runs of white space.
 *
 * @see Radford et al. 2019, Language Models are Unsupervised Multitask Learners
 */
export const wordPattern: RegExp =
  /'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** A printable character for each byte: itself where it is visible Latin-1, else one from U+0100 on. */
export const byteToChar: readonly string[] = printableBytes();

/** The byte that a printable character stands for. */
export const charToByte: ReadonlyMap<string, number> = new Map(
  byteToChar.map((char, byte) => [char, byte]),
);

function printableBytes(): string[] {
  const visible = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(visible(byte) ? byte : next++),
  );
}

const encoder = new TextEncoder();

/** A text's UTF-8 bytes as printable characters; an unpaired surrogate counts as U+FFFD. */
export function toByteChars(text: string): string {
  let chars = '';
  for (const byte of encoder.encode(text)) chars += byteToChar[byte];
  return chars;
}

/** The UTF-8 bytes that printable characters stand for; other characters stand for their own bytes. */
export function fromByteChars(chars: string): Uint8Array {
  const bytes: number[] = [];
  for (const char of chars) {
    const byte = charToByte.get(char);
    if (byte === undefined) bytes.push(...encoder.encode(char));
    else bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
