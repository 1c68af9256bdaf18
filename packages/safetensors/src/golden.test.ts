import { describe, expect, test } from 'vitest';
import golden from './goldens/reference.json' with { type: 'json' };
import { type Dtype, readSafetensors, toFloat32, writeSafetensors } from './index.js';

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));

describe.each(golden.files)('the reference writes $name', ({ file, tensors, metadata }) => {
  const expected = bytesOf(file);

  test('and we read it', () => {
    const read = readSafetensors(expected);
    expect(read.metadata).toEqual(metadata);
    expect([...read.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort());
    for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
      const tensor = read.get(name);
      expect(tensor).toMatchObject({ dtype, shape });
      const { buffer, byteOffset, byteLength } = tensor.data;
      expect(new Uint8Array(buffer, byteOffset, byteLength)).toEqual(bytesOf(bytes));
    }
  });

  test('and we write the same bytes', () => {
    const inputs = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => [
      name,
      { dtype: dtype as Dtype, shape, data: bytesOf(bytes) },
    ]);
    expect(writeSafetensors(Object.fromEntries(inputs), metadata)).toEqual(expected);
  });
});

test.each(golden.floats)('$dtype widens to the float32 values of ml_dtypes', (given) => {
  const dtype = given.dtype as Dtype;
  const bits = bytesOf(given.bits);
  const data = dtype.startsWith('F8') ? bits : new Uint16Array(bits.buffer);
  const expected = new Float32Array(bytesOf(given.float32).buffer);
  // toEqual tells −0 from 0 and takes every NaN for the same.
  expect(toFloat32({ dtype, data })).toEqual(expected);
});
