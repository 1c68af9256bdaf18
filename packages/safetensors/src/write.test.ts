import { describe, expect, test } from 'vitest';
import { streamSafetensors, type TensorInput, writeSafetensors } from './index.js';

test('a file by hand: length, header filled up with spaces, data', () => {
  const bytes = writeSafetensors({ a: { shape: [], data: Uint8Array.of(7) } });
  const json = '{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}    ';
  expect(new TextDecoder().decode(bytes.subarray(8, -1))).toBe(json);
  expect(bytes.subarray(0, 8)).toEqual(Uint8Array.of(json.length, 0, 0, 0, 0, 0, 0, 0));
  expect(bytes.at(-1)).toBe(7);
});

test('each typed array has its element type', () => {
  const arrays = [
    Uint8Array,
    Int8Array,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ];
  const tensors = arrays.map((kind): [string, TensorInput] => [
    kind.name,
    { shape: [1], data: new kind(1) },
  ]);
  const header = new TextDecoder().decode(writeSafetensors(Object.fromEntries(tensors)));
  const dtypes = [...header.matchAll(/"(\w+)Array":{"dtype":"(\w+)"/g)];
  expect(Object.fromEntries(dtypes.map(([, array, dtype]) => [array, dtype]))).toEqual({
    Uint8: 'U8',
    Int8: 'I8',
    Int16: 'I16',
    Uint16: 'U16',
    Int32: 'I32',
    Uint32: 'U32',
    Float32: 'F32',
    Float64: 'F64',
    BigInt64: 'I64',
    BigUint64: 'U64',
  });
});

describe('refused, naming the tensor', () => {
  const data = new Float32Array(2);
  test.each<[string, object, string]>([
    [
      'data of another size',
      { shape: [3], data },
      'data has 8 bytes, but shape [3] of F32 needs 12',
    ],
    [
      'data of another type',
      { dtype: 'F16', shape: [4], data },
      'data is Float32Array, F16 takes Uint16Array',
    ],
    ['a negative size', { shape: [-2], data }, 'shape[0] is -2, expected a whole number from 0'],
    ['an unknown dtype', { dtype: 'f32', shape: [2], data }, 'dtype is "f32", expected one of'],
    ['a plain array', { shape: [2], data: [1, 2] }, 'dtype is unknown for data in Array, expected'],
  ])('%s', (_, input, reason) => {
    expect(() => writeSafetensors({ w: input as TensorInput })).toThrow(
      `safetensors: "w": ${reason}`,
    );
  });

  test('a name that the format keeps or UTF-8 cannot hold', () => {
    const input = { shape: [2], data };
    expect(() => writeSafetensors({ __metadata__: input })).toThrow(
      '"__metadata__": is the name of the metadata',
    );
    expect(() => writeSafetensors({ '\udfff': input })).toThrow('is not well-formed Unicode');
  });

  test('metadata that is not text', () => {
    const metadata = { step: 3 } as unknown as Record<string, string>;
    expect(() => writeSafetensors({}, metadata)).toThrow('"step" is 3, expected a string');
  });

  test('a header beyond the limit of readers', () => {
    expect(() => writeSafetensors({}, { text: 'x'.repeat(100_000_000) })).toThrow(
      'header needs 100000032 bytes, the limit is 100000000',
    );
  });
});

test('a stream copies no tensor and fetches each only when its turn comes', async () => {
  const eager = new Float64Array(1);
  const fetched: string[] = [];
  const lazy = (name: string) => ({
    dtype: 'F32' as const,
    shape: [1],
    data: async () => {
      fetched.push(name);
      return Float32Array.of(1);
    },
  });
  const stream = streamSafetensors({ b: lazy('b'), a: lazy('a'), e: { shape: [1], data: eager } });
  await stream.next();
  expect((await stream.next()).value.buffer).toBe(eager.buffer);
  expect(fetched).toEqual([]);
  await stream.next();
  expect(fetched).toEqual(['a']);
  await stream.next();
  expect(fetched).toEqual(['a', 'b']);
  expect((await stream.next()).done).toBe(true);
});

test('a stream refuses fetched data that is not what the header says', async () => {
  const short = { dtype: 'F32' as const, shape: [2], data: () => Float32Array.of(1) };
  const stream = streamSafetensors({ w: short }, {}, { name: 'm.safetensors' });
  await stream.next();
  await expect(stream.next()).rejects.toThrow(
    'm.safetensors: "w": data has 4 bytes, but shape [2] of F32 needs 8',
  );
});
