import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { pngAddress } from './png.js';

test.each([
  [1, 3, 5],
  [3, 4, 2],
  // More bytes than one stored block holds.
  [3, 150, 160],
])('a picture of %i channels, %i by %i, is a PNG of its bytes', (channels, height, width) => {
  const length = channels * height * width;
  const values = Float32Array.from({ length }, (_, i) => ((i * 37) % 256) / 255);
  const bytes = Buffer.from(
    pngAddress({ values, height, width, channels }).split(',')[1]!,
    'base64',
  );
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([width, height]);
  expect([bytes[24], bytes[25]]).toEqual([8, channels === 3 ? 2 : 0]);
  const data = bytes.subarray(41, 41 + bytes.readUInt32BE(33));
  // Its own checksum is checked here.
  const lines = inflateSync(data);
  const row = 1 + width * channels;
  expect(lines.length).toBe(height * row);
  for (let i = 0; i < length; i++) {
    const at = Math.floor(i / (width * channels)) * row + 1 + (i % (width * channels));
    expect(lines[at]).toBe((i * 37) % 256);
  }
});

test('values outside [0, 1] get the nearer end', () => {
  const address = pngAddress({ values: [-1, 2], height: 1, width: 2, channels: 1 });
  const bytes = Buffer.from(address.split(',')[1]!, 'base64');
  expect([...inflateSync(bytes.subarray(41, 41 + bytes.readUInt32BE(33)))]).toEqual([0, 0, 255]);
});
