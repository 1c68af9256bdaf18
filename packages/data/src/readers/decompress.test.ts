import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decompressed, portableDecompressors } from './decompress.js';

const text = 'Call me Ishmael. '.repeat(40);
const members = Buffer.concat([gzipSync(text), gzipSync(text)]);

async function* pieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function unzip(bytes: Uint8Array, size: number): Promise<string> {
  const chunks = [];
  const { gzip } = portableDecompressors;
  for await (const chunk of decompressed(pieces(bytes, size), gzip, 'a.gz')) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('members of gzip come whole in pieces of every size', async () => {
  for (const size of [1, 2, 7, 19, 64, 1000]) expect(await unzip(members, size)).toBe(text + text);
});

test('gzip that is cut off anywhere is refused', async () => {
  const one = members.length / 2;
  for (let length = 1; length < members.length; length++) {
    if (length === one) continue;
    for (const size of [1, 50, 1000]) {
      await expect(unzip(members.subarray(0, length), size), `${length} ${size}`).rejects.toThrow(
        /^a\.gz: cannot be decompressed after byte \d+: the file is cut off$/,
      );
    }
  }
});
