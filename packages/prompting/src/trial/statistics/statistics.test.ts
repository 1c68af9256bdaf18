import { describe, expect, test } from 'vitest';
import golden from '../../goldens/trials.json' with { type: 'json' };
import {
  bootstrapDifference,
  bootstrapMean,
  calibrationBins,
  calibrationError,
  holmAdjusted,
  mcnemarTest,
} from '../../index.js';

describe('McNemar', () => {
  test.each(golden.mcnemar as [number, number, number][])('%i and %i: statsmodels', (b, c, p) => {
    expect(mcnemarTest(b, c) / p).toBeCloseTo(1, 9);
    expect(mcnemarTest(c, b)).toBe(mcnemarTest(b, c));
  });

  test('by hand: 2 (C(4,0) + C(4,1)) / 2⁴', () => {
    expect(mcnemarTest(1, 3)).toBeCloseTo(10 / 16, 12);
    expect(() => mcnemarTest(1, -1)).toThrow('a count is -1; expected a whole number');
  });
});

test('Holm: statsmodels', () => {
  for (const [given, adjusted] of golden.holm as [number[], number[]][]) {
    expect(holmAdjusted(given)).toEqual(adjusted.map((p) => expect.closeTo(p, 12)));
  }
});

describe('calibration', () => {
  test('the error by hand: two bins, and one without answers', () => {
    // Bin (0.5, 0.6]: confidence 0.55, half of them right. Bin (0.8, 0.9]: confidence 0.9, all right.
    const answers = [
      { confidence: 0.5001, correct: true },
      { confidence: 0.5999, correct: false },
      { confidence: 0.9, correct: true },
      { confidence: 0.9, correct: true },
    ];
    expect(calibrationError(answers)).toBeCloseTo(0.5 * 0.05 + 0.5 * 0.1, 12);
    const bins = calibrationBins(answers);
    expect(bins.map(({ count }) => count)).toEqual([0, 0, 0, 0, 0, 2, 0, 0, 2, 0]);
    expect(bins[8]).toEqual({ from: 0.8, to: 0.9, count: 2, confidence: 0.9, accuracy: 1 });
    expect(bins[0]!.accuracy).toBeUndefined();
  });

  test('the error of many: means by bins of SciPy', () => {
    const { confidences, correct, error } = golden.calibration;
    const answers = confidences.map((confidence, n) => ({ confidence, correct: !!correct[n] }));
    expect(calibrationError(answers)).toBeCloseTo(error, 12);
  });

  test('bounds count to the lower bin, whatever their rounding', () => {
    for (let n = 1; n <= 10; n++) {
      const at = calibrationBins([{ confidence: n / 10, correct: true }]);
      expect(at.findIndex(({ count }) => count === 1)).toBe(n - 1);
    }
    expect(calibrationBins([{ confidence: 0, correct: true }])[0]!.count).toBe(1);
    expect(() => calibrationError([])).toThrow('there are no answers');
    expect(() => calibrationError([{ confidence: 1.1, correct: true }])).toThrow(
      'a confidence is 1.1; expected a number from 0 to 1',
    );
  });
});

const outcomesOf = (k: number, n: number) => Array.from({ length: n }, (_, i) => Number(i < k));

describe('bootstrap', () => {
  test.each(golden.means as [number, number, number, number][])(
    'the interval of %i of %i right is that of a binomial distribution',
    (k, n, low, high) => {
      const estimate = bootstrapMean([outcomesOf(k, n)], { seed: 3 });
      expect(estimate.mean).toBeCloseTo(k / n, 12);
      // The distribution has steps of 1/n, and 10,000 resamples may end one beside the quantile.
      expect(Math.abs(estimate.low - low)).toBeLessThan(1.01 / n);
      expect(Math.abs(estimate.high - high)).toBeLessThan(1.01 / n);
      expect(estimate).toEqual(bootstrapMean([outcomesOf(k, n)], { seed: 3 }));
    },
  );

  test.each(golden.extremes as [number, number, number, number][])(
    '%i of %i right, of which resamples say nothing: Clopper and Pearson',
    (k, n, low, high) => {
      const estimate = bootstrapMean([outcomesOf(k, n)]);
      expect(estimate.low).toBeCloseTo(low, 9);
      expect(estimate.high).toBeCloseTo(high, 9);
    },
  );

  test('the paired difference: SciPy', () => {
    for (const { first, second, low, high, error } of golden.differences) {
      const difference = bootstrapDifference([first], [second], { seed: 1 });
      // Steps of 1/40, as above.
      expect(Math.abs(difference.low - low)).toBeLessThan(0.026);
      expect(Math.abs(difference.high - high)).toBeLessThan(0.026);
      // Far from 0, the p-value is that of the normal distribution, about.
      const z = difference.mean / error;
      expect(difference.p < 0.05).toBe(low > 0 || high < 0);
      expect(Math.abs(Math.log(difference.p / twoSided(z)))).toBeLessThan(0.7);
    }
    expect(bootstrapDifference([[1, 0, 1]], [[1, 0, 1]]).p).toBe(1);
  });

  test('draws that differ widen the interval, by hand: all right in one, none in the other', () => {
    const draws = [outcomesOf(40, 40), outcomesOf(0, 40)];
    // A quarter of the resamples has the first draw twice, a quarter the second.
    expect(bootstrapMean(draws)).toEqual({ mean: 0.5, low: 0, high: 1 });
    const same = [outcomesOf(20, 40), outcomesOf(20, 40)];
    const { low, high } = bootstrapMean(same);
    expect([low, high]).toEqual([expect.closeTo(0.35, 1), expect.closeTo(0.65, 1)]);
    // Against one draw, and against the same draws.
    expect(bootstrapDifference(draws, [outcomesOf(20, 40)]).p).toBeGreaterThan(0.4);
    const worse = draws.map((draw) => draw.map((one, n) => (n < 10 ? 0 : one)));
    expect(bootstrapDifference(draws, worse).low).toBeGreaterThanOrEqual(0);
  });

  test('bad input is refused', () => {
    expect(() => bootstrapMean([])).toThrow('there are no outcomes');
    expect(() => bootstrapMean([[1], [1, 0]])).toThrow('a draw has 2 outcomes; expected 1');
    expect(() => bootstrapMean([[1]], { resamples: 0 })).toThrow('resamples is 0');
    expect(() => bootstrapMean([[1]], { alpha: 1 })).toThrow('alpha is 1; expected a number');
    expect(() => bootstrapDifference([[1]], [[1, 0]])).toThrow('there are 1 and 2 questions');
    expect(() => bootstrapDifference([[1], [1]], [[1], [0], [1]])).toThrow('3 and 2 draws');
  });
});

/** The two-sided tail of the standard normal distribution (Abramowitz and Stegun 7.1.26, within 1.5·10⁻⁷). */
function twoSided(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const [a, b, c, d, e] = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429];
  return t * (a! + t * (b! + t * (c! + t * (d! + t * e!)))) * Math.exp(-x * x);
}
