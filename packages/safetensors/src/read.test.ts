import { expect, test } from 'vitest';
import { readSafetensors, toFloat32, writeSafetensors } from './index.js';

const bytes = writeSafetensors({
  half: { dtype: 'F16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) },
  ids: { shape: [2, 1], data: Int32Array.of(-7, 7) },
});

test('an aligned tensor is a view of the file, another one a copy', () => {
  const view = readSafetensors(bytes).get('ids');
  expect(view).toEqual({ dtype: 'I32', shape: [2, 1], data: Int32Array.of(-7, 7) });
  expect(view.data.buffer).toBe(bytes.buffer);

  const shifted = new Uint8Array(bytes.length + 1).subarray(1);
  shifted.set(bytes);
  const copy = readSafetensors(shifted).get('ids');
  expect(copy).toEqual(view);
  expect(copy.data.buffer).not.toBe(shifted.buffer);
});

test('a tensor that is not there is named', () => {
  expect(() => readSafetensors(bytes, { name: 'm.safetensors' }).get('mask')).toThrow(
    'm.safetensors: "mask": is not among the file\'s 2 tensors',
  );
});

test('halves are widened on request', () => {
  const half = readSafetensors(bytes).get('half');
  expect(half.data).toEqual(Uint16Array.of(0x3c00, 0xc000));
  expect(toFloat32(half)).toEqual(Float32Array.of(1, -2));
  const room = new Float32Array(4).fill(9);
  expect(toFloat32(half, { into: room.subarray(1, 3) })).toEqual(Float32Array.of(1, -2));
  expect(room).toEqual(Float32Array.of(9, 1, -2, 9));
  expect(() => toFloat32(half, { into: room })).toThrow('has 2 values, there is room for 4');
});

test('singles are not copied, doubles are rounded, whole numbers are not floats', () => {
  const single = Float32Array.of(1.5);
  expect(toFloat32({ dtype: 'F32', data: single })).toBe(single);
  expect(toFloat32({ dtype: 'F64', data: Float64Array.of(0.1) })).toEqual(Float32Array.of(0.1));
  expect(() =>
    toFloat32(readSafetensors(bytes).get('ids'), { file: 'm.safetensors', key: 'ids' }),
  ).toThrow('m.safetensors: "ids": I32 does not convert to float32, expected one of F64 F32');
});
