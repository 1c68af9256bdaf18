import { expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from './index.js';

test('what is written is read', () => {
  const file = readSafetensors(
    writeSafetensors(
      {
        bias: { shape: [3], data: Float32Array.of(1, 2, 3) },
        ids: { shape: [2, 1], data: Int32Array.of(-7, 7) },
      },
      { format: 'pt' },
    ),
  );
  expect([...file.tensors.keys()]).toEqual(['bias', 'ids']);
  expect(file.metadata).toEqual({ format: 'pt' });
  expect(file.get('bias')).toEqual({ dtype: 'F32', shape: [3], data: Float32Array.of(1, 2, 3) });
  expect(file.get('ids')).toEqual({ dtype: 'I32', shape: [2, 1], data: Int32Array.of(-7, 7) });
});
