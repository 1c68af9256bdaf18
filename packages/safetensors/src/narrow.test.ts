import { expect, test } from 'vitest';
import { fromFloat32, toFloat32 } from './index.js';

const round = (dtype: 'F16' | 'BF16', ...values: number[]) => [
  ...toFloat32({ dtype, data: fromFloat32(Float32Array.from(values), dtype) }),
];

test('every half and every bfloat16 keeps its bits', () => {
  const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
  for (const dtype of ['F16', 'BF16'] as const) {
    const values = toFloat32({ dtype, data: all });
    const again = fromFloat32(values, dtype);
    const numbers = [...all].filter((bits) => !Number.isNaN(values[bits]!));
    expect(numbers.filter((bits) => again[bits] !== bits)).toEqual([]);
    const wide = toFloat32({ dtype, data: again });
    expect(
      [...all].filter((bits) => Number.isNaN(values[bits]!) !== Number.isNaN(wide[bits]!)),
    ).toEqual([]);
  }
});

test('what lies between two values goes to the nearer one, and to the even one from the middle', () => {
  const step = 2 ** -10;
  expect(round('F16', 1 + step * 0.49, 1 + step * 0.5, 1 + step * 1.5, 1 + step * 0.51)).toEqual([
    1,
    1,
    1 + 2 * step,
    1 + step,
  ]);
  expect(round('F16', 2 ** -25, 2 ** -24 * 0.51, -(2 ** -26), -0)).toEqual([0, 2 ** -24, -0, -0]);
  const coarse = 2 ** -7;
  expect(round('BF16', 1 + coarse * 0.5, 1 + coarse * 1.5, -1 - coarse * 0.51)).toEqual([
    1,
    1 + 2 * coarse,
    -1 - coarse,
  ]);
});

test('a value that no half holds is refused', () => {
  expect(() => round('F16', 1, 70_000)).toThrow('value 1 is 70000; F16 holds at most 65504');
  expect(round('BF16', 70_000)[0]).toBeCloseTo(70_144, 5);
});
