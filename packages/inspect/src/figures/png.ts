/** A picture's values in [0, 1], row-major with the channels last: one, grey, or three, red, green and blue. */
export interface Picture {
  readonly values: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  /** 1 or 3. */
  readonly channels: number;
}

/** A picture as the address of a PNG that stands in itself: `data:image/png;base64,…`; values outside [0, 1] get the nearer end. */
export function pngAddress({ values, height, width, channels }: Picture): string {
  const lines = new Uint8Array(height * (1 + width * channels));
  for (let y = 0, to = 0, from = 0; y < height; y++) {
    // Each line begins with its filter: none.
    to++;
    for (let i = 0; i < width * channels; i++) {
      lines[to++] = Math.round(255 * Math.min(1, Math.max(0, values[from++]!)));
    }
  }
  const head = new DataView(new ArrayBuffer(13));
  head.setUint32(0, width);
  head.setUint32(4, height);
  head.setUint8(8, 8);
  head.setUint8(9, channels === 3 ? 2 : 0);
  const bytes = joined([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', new Uint8Array(head.buffer)),
    chunk('IDAT', stored(lines)),
    chunk('IEND', new Uint8Array(0)),
  ]);
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return `data:image/png;base64,${btoa(text)}`;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const named = joined([Uint8Array.from(type, (character) => character.charCodeAt(0)), data]);
  return joined([bigEndian(data.length), named, bigEndian(crc(named))]);
}

function bigEndian(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Bytes as a zlib stream that stores them as they are: figures are small. */
function stored(bytes: Uint8Array): Uint8Array {
  const most = 0xffff;
  const parts: Uint8Array[] = [Uint8Array.of(0x78, 0x01)];
  for (let from = 0; from < bytes.length; from += most) {
    const part = bytes.subarray(from, from + most);
    const { length } = part;
    const last = from + most >= bytes.length ? 1 : 0;
    parts.push(Uint8Array.of(last, length, length >>> 8, ~length, ~length >>> 8), part);
  }
  return joined([...parts, bigEndian(adler(bytes))]);
}

function adler(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return ((b << 16) | a) >>> 0;
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = table[(value ^ byte) & 255]! ^ (value >>> 8);
  return ~value >>> 0;
}
