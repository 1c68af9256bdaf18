/** A printable character for each byte: itself where it is visible Latin-1, else one from U+0100 on. */
export const byteToChar: readonly string[] = printableBytes();

/** The code unit of each byte's printable character. */
export const byteToUnit: Uint16Array = Uint16Array.from(byteToChar, (char) => char.charCodeAt(0));

/** The byte that a printable character's code unit stands for, or −1. */
export const unitToByte: Int16Array = new Int16Array(0x180).fill(-1);
byteToUnit.forEach((unit, byte) => {
  unitToByte[unit] = byte;
});

/** The symbols that byte-level training starts from, in the order of their characters. */
export const byteAlphabet: readonly string[] = [...byteToChar].sort();

function printableBytes(): string[] {
  const visible = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(visible(byte) ? byte : next++),
  );
}

/** Byte `i` of a code point's UTF-8 of `length` bytes. */
export function utf8Byte(codePoint: number, i: number, length: number): number {
  if (length === 1) return codePoint;
  const bits = (codePoint >> (6 * (length - 1 - i))) & 0x3f;
  if (i > 0) return 0x80 | bits;
  return length === 2
    ? 0xc0 | (codePoint >> 6)
    : length === 3
      ? 0xe0 | (codePoint >> 12)
      : 0xf0 | (codePoint >> 18);
}

/** How many bytes a code point's UTF-8 has. */
export const utf8Length = (codePoint: number): number =>
  codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;

const encoder = new TextEncoder();

/** A text's UTF-8 bytes as printable characters. */
export function toByteChars(text: string): string {
  let chars = '';
  for (const byte of encoder.encode(text)) chars += byteToChar[byte];
  return chars;
}

/** The byte of a token such as `<0x0A>`, or −1. */
export function byteOfToken(token: string): number {
  return /^<0x[0-9A-F]{2}>$/.test(token) ? Number.parseInt(token.slice(3, 5), 16) : -1;
}

/** The token of a byte, such as `<0x0A>`. */
export const byteToken = (byte: number): string =>
  `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
