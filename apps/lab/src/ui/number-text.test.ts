import fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberProblem, readNumber } from './number-text.js';

test('a text is parsed as the number that it shows, or as NaN', () => {
  const says: [string, number | undefined][] = [
    ['48', 48],
    [' 7\n', 7],
    ['-1', -1],
    ['+3', 3],
    ['.5', 0.5],
    ['2.', 2],
    ['1e-3', 0.001],
    ['1E3', 1000],
    ['', Number.NaN],
    ['  ', Number.NaN],
    ['-', Number.NaN],
    ['1e', Number.NaN],
    ['1,5', Number.NaN],
    ['1 000', Number.NaN],
    ['0x10', Number.NaN],
    ['0b1', Number.NaN],
    ['Infinity', Number.NaN],
    ['NaN', Number.NaN],
    ['−1', Number.NaN],
    ['１２', Number.NaN],
    ['12 steps', Number.NaN],
  ];
  for (const [text, value] of says) expect(readNumber(text), text).toBe(value);
  expect(readNumber(' ', { optional: true })).toBe(undefined);
  expect(readNumber('x', { optional: true })).toBe(Number.NaN);
});

test('every finite number is read as it is written', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(readNumber(String(value))).toBe(Number(String(value)));
    }),
  );
});

test('a number outside the limits is reported', () => {
  const layers = { min: 1, max: 24, whole: true };
  expect(numberProblem(24, layers)).toBe(undefined);
  expect(numberProblem(48, layers)).toBe('At most 24.');
  expect(numberProblem(0, layers)).toBe('At least 1.');
  expect(numberProblem(2.5, layers)).toBe('Give a whole number.');
  expect(numberProblem(Number.NaN, layers)).toBe('Give a number.');
  expect(numberProblem(undefined, layers)).toBe('Give a number.');
  expect(numberProblem(undefined, { ...layers, optional: true })).toBe(undefined);
  expect(numberProblem(Number('1e999'), {})).toBe('Give a number.');
});
