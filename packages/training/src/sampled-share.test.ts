import { expect, test } from 'vitest';
import { exponentialShare, inverseSigmoidShare, linearShare } from './index.js';

test('shares follow the decays of Bengio et al.: what is not forced is sampled', () => {
  const linear = linearShare({ from: 0.1, to: 0.5, steps: 4 });
  for (const [step, share] of [0.1, 0.2, 0.3, 0.4, 0.5, 0.5].entries()) {
    expect(linear(step)).toBeCloseTo(share, 12);
  }
  const falling = linearShare({ from: 1, to: 0, steps: 2 });
  expect([0, 1, 2, 3].map(falling)).toEqual([1, 0.5, 0, 0]);
  const exponential = exponentialShare({ k: 0.5, to: 0.8 });
  for (const [step, share] of [0, 0.4, 0.6, 0.7].entries()) {
    expect(exponential(step)).toBeCloseTo(share, 12);
  }
  const sigmoid = inverseSigmoidShare({ k: 10 });
  expect(sigmoid(0)).toBeCloseTo(1 / 11, 12);
  expect(sigmoid(10 * Math.log(10))).toBeCloseTo(0.5, 12);
  expect(sigmoid(1e6)).toBe(1);
});

test('options out of range are refused by name', () => {
  const refused: [() => unknown, string][] = [
    [() => linearShare({ to: 1.5, steps: 2 }), 'linearShare: to is 1.5; expected a number from 0'],
    [() => linearShare({ from: -1, to: 1, steps: 2 }), 'linearShare: from is -1'],
    [() => linearShare({ to: Number.NaN, steps: 2 }), 'linearShare: to is NaN'],
    [() => linearShare({ to: 1, steps: 0 }), 'steps is 0; expected a whole number of at least 1'],
    [() => linearShare({ to: 1, steps: 1.5 }), 'steps is 1.5'],
    [() => exponentialShare({ k: 1 }), 'exponentialShare: k is 1; expected a number between 0 and'],
    [() => exponentialShare({ k: 0.5, to: 2 }), 'exponentialShare: to is 2'],
    [() => inverseSigmoidShare({ k: 0.5 }), 'inverseSigmoidShare: k is 0.5; expected a finite'],
    [() => inverseSigmoidShare({ k: Number.POSITIVE_INFINITY }), 'k is Infinity'],
  ];
  for (const [make, message] of refused) expect(make).toThrow(message);
});
