import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteSize } from './dtypes.js';
import {
  DTYPES,
  readSafetensors,
  SafetensorsError,
  streamSafetensors,
  type Tensor,
  type TensorInput,
  toFloat32,
  writeSafetensors,
} from './index.js';

// Every shape ends in 4, so that the types of 4 and 6 bits fill whole bytes.
const tensor: fc.Arbitrary<TensorInput> = fc
  .record({
    dtype: fc.constantFrom(...DTYPES),
    shape: fc.array(fc.nat(3), { maxLength: 3 }).map((sizes) => [...sizes, 4]),
  })
  .chain(({ dtype, shape }) => {
    const length = byteSize(dtype, shape, { file: '', key: '' });
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((data) => ({ dtype, shape, data }));
  });

const text = fc.string({ unit: 'binary', maxLength: 8 });
const tensors = fc
  .dictionary(text, tensor, { maxKeys: 5 })
  .filter((record) => !Object.hasOwn(record, '__metadata__'));
const metadata = fc.dictionary(text, text, { maxKeys: 3 });

const rawBytes = ({ data }: Tensor): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

test('what is written is read, wherever the file begins in its buffer', () => {
  fc.assert(
    fc.property(tensors, metadata, fc.nat(8), (given, about, shift) => {
      const written = writeSafetensors(given, about);
      const bytes = new Uint8Array(new ArrayBuffer(written.length + shift), shift);
      bytes.set(written);
      const file = readSafetensors(bytes);
      expect(Object.entries(file.metadata).sort()).toEqual(Object.entries(about).sort());
      expect([...file.tensors.keys()].sort()).toEqual(Object.keys(given).sort());
      for (const [name, { dtype, shape, data }] of Object.entries(given)) {
        const read = file.get(name);
        expect(read).toMatchObject({ dtype, shape });
        expect(rawBytes(read)).toEqual(data);
      }
    }),
  );
});

test('the order in which tensors and metadata are given does not matter', () => {
  const reversed = <T>(record: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(record).reverse());
  fc.assert(
    fc.property(tensors, metadata, (given, about) => {
      const bytes = writeSafetensors(given, about);
      expect(writeSafetensors(reversed(given), reversed(about))).toEqual(bytes);
    }),
  );
});

test('the streamed file is the written file', async () => {
  await fc.assert(
    fc.asyncProperty(tensors, metadata, async (given, about) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of streamSafetensors(given, about)) chunks.push(chunk);
      expect(chunks).toHaveLength(1 + Object.keys(given).length);
      expect(Buffer.concat(chunks).equals(writeSafetensors(given, about))).toBe(true);
    }),
  );
});

/** Reads all that a file says it holds; anything but success and a SafetensorsError is a bug. */
function readAll(bytes: Uint8Array): 'read' | 'refused' {
  try {
    const file = readSafetensors(bytes);
    const total = [...file.tensors.keys()].map((name) => rawBytes(file.get(name)).byteLength);
    expect(total.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(bytes.byteLength);
    return 'read';
  } catch (error) {
    if (error instanceof SafetensorsError) return 'refused';
    throw error;
  }
}

test('a file with wrong bytes is read or refused, and never crashes', () => {
  const flips = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1 });
  const seen = { read: 0, refused: 0 };
  fc.assert(
    fc.property(tensors, metadata, flips, (given, about, wrong) => {
      const bytes = writeSafetensors(given, about);
      for (const { at, byte } of wrong) bytes[at % bytes.length] = byte;
      seen[readAll(bytes)]++;
    }),
    { numRuns: 1000 },
  );
  expect(seen.refused).toBeGreaterThan(0);
});

test('a file with a header of random JSON is read or refused, and never crashes', () => {
  const entry = fc.record(
    {
      dtype: fc.oneof(fc.constantFrom(...DTYPES), fc.jsonValue()),
      shape: fc.oneof(fc.array(fc.oneof(fc.nat(3), fc.double())), fc.jsonValue()),
      data_offsets: fc.oneof(fc.array(fc.nat(16), { maxLength: 3 }), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  const header = fc.dictionary(
    fc.oneof(text, fc.constant('__metadata__')),
    fc.oneof(entry, fc.jsonValue()),
  );
  fc.assert(
    fc.property(header, fc.nat(16), (entries, dataBytes) => {
      const json = new TextEncoder().encode(JSON.stringify(entries));
      const bytes = new Uint8Array(8 + json.length + dataBytes);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
      bytes.set(json, 8);
      readAll(bytes);
    }),
    { numRuns: 1000 },
  );
});

test('a file cut short is refused, whatever is left of it', () => {
  fc.assert(
    fc.property(tensors, metadata, fc.nat(), (given, about, length) => {
      const bytes = writeSafetensors(given, about);
      expect(readAll(bytes.subarray(0, length % bytes.length))).toBe('refused');
    }),
    { numRuns: 500 },
  );
});

test('bfloat16 widens to a float32 whose upper half it is', () => {
  fc.assert(
    fc.property(fc.uint16Array(), (bits) => {
      const wide = toFloat32({ dtype: 'BF16', data: bits });
      const words = new Uint32Array(wide.buffer, wide.byteOffset, wide.length);
      expect(Array.from(words)).toEqual(Array.from(bits, (half) => half * 2 ** 16));
    }),
  );
});
