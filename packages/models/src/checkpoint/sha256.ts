const ROUNDS = 64;

/** The first 32 bits of the fractional parts of a root of the first primes. */
function fractions(count: number, root: (prime: number) => number): Int32Array {
  const values = new Int32Array(count);
  for (let candidate = 2, found = 0; found < count; candidate++) {
    let prime = true;
    for (let d = 2; d * d <= candidate; d++) prime &&= candidate % d !== 0;
    if (prime) values[found++] = Math.floor((root(candidate) % 1) * 2 ** 32);
  }
  return values;
}

const constants = fractions(ROUNDS, Math.cbrt);
const start = fractions(8, Math.sqrt);
const turned = (x: number, by: number) => (x >>> by) | (x << (32 - by));

/**
 * SHA-256 of bytes that come piece by piece, which the Web's own digest cannot take.
 *
 * @see FIPS 180-4, https://doi.org/10.6028/NIST.FIPS.180-4
 */
export class Sha256 {
  readonly #state = start.slice();
  readonly #words = new Int32Array(ROUNDS);
  readonly #block = new Uint8Array(64);
  #bytes = 0;

  update(bytes: Uint8Array): void {
    let at = 0;
    const held = this.#bytes % 64;
    this.#bytes += bytes.byteLength;
    if (held > 0) {
      at = Math.min(64 - held, bytes.byteLength);
      this.#block.set(bytes.subarray(0, at), held);
      if (held + at < 64) return;
      this.#mix(this.#block, 0);
    }
    for (; at + 64 <= bytes.byteLength; at += 64) this.#mix(bytes, at);
    this.#block.set(bytes.subarray(at));
  }

  /** The hash as 64 hexadecimal digits; no bytes may come after. */
  digest(): string {
    const bits = BigInt(this.#bytes) * 8n;
    const end = new Uint8Array(((this.#bytes + 9 + 63) >> 6) * 64 - this.#bytes);
    end[0] = 0x80;
    new DataView(end.buffer).setBigUint64(end.byteLength - 8, bits);
    this.update(end);
    return [...this.#state].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #mix(bytes: Uint8Array, at: number): void {
    const w = this.#words;
    for (let i = 0; i < 16; i++) {
      const j = at + 4 * i;
      w[i] = (bytes[j]! << 24) | (bytes[j + 1]! << 16) | (bytes[j + 2]! << 8) | bytes[j + 3]!;
    }
    for (let i = 16; i < ROUNDS; i++) {
      const x = w[i - 15]!;
      const y = w[i - 2]!;
      const near = turned(x, 7) ^ turned(x, 18) ^ (x >>> 3);
      const far = turned(y, 17) ^ turned(y, 19) ^ (y >>> 10);
      w[i] = (((w[i - 16]! + near) | 0) + ((w[i - 7]! + far) | 0)) | 0;
    }
    const s = this.#state;
    let a = s[0]!;
    let b = s[1]!;
    let c = s[2]!;
    let d = s[3]!;
    let e = s[4]!;
    let f = s[5]!;
    let g = s[6]!;
    let h = s[7]!;
    for (let i = 0; i < ROUNDS; i++) {
      const up = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
      const chosen = (((e & f) ^ (~e & g)) + constants[i]!) | 0;
      const t1 = (((h + up) | 0) + ((chosen + w[i]!) | 0)) | 0;
      const down = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
      const t2 = (down + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    s[0]! += a;
    s[1]! += b;
    s[2]! += c;
    s[3]! += d;
    s[4]! += e;
    s[5]! += f;
    s[6]! += g;
    s[7]! += h;
  }
}
