import { describe, expect, test } from 'vitest';
import golden from './goldens/schedules.json' with { type: 'json' };
import {
  constantRate,
  type WarmupStableDecayOptions,
  warmupConstant,
  warmupCosine,
  warmupInverseSquareRoot,
  warmupLinear,
  warmupStableDecay,
} from './schedule.js';

const schedules = {
  warmupConstant,
  warmupCosine,
  warmupInverseSquareRoot,
  warmupLinear,
  warmupStableDecay,
};

describe('schedules', () => {
  test.each(golden.cases)(
    "$schedule with $options is transformers'",
    ({ schedule, options, factors }) => {
      const given = { ...options, peak: 1 } as WarmupStableDecayOptions;
      const rate = schedules[schedule as keyof typeof schedules](given);
      // Theirs begins the warm-up at 0, a step without effect; ours leaves it out.
      const theirs = (step: number) => factors[step < options.warmupSteps ? step + 1 : step]!;
      for (let step = 0; step < factors.length; step++) {
        expect(rate(step)).toBeCloseTo(theirs(step), 8);
      }
    },
  );

  test('warm up to the peak, then fall by half a cosine to the floor', () => {
    const rate = warmupCosine({ peak: 1, warmupSteps: 4, totalSteps: 14, floor: 0.2 });
    expect([0, 1, 3, 4].map(rate)).toEqual([0.25, 0.5, 1, 1]);
    expect(rate(9)).toBeCloseTo(0.6, 12);
    expect(rate(14)).toBeCloseTo(0.2, 12);
    expect(rate(99)).toBeCloseTo(0.2, 12);
    expect(constantRate(0.3)(7)).toBe(0.3);
  });

  test('refuse what does not fit', () => {
    expect(() => warmupCosine({ peak: 1, warmupSteps: 5, totalSteps: 4 })).toThrow(
      'warmupCosine: warmupSteps 5 is more than totalSteps 4',
    );
    expect(() =>
      warmupStableDecay({ peak: 1, warmupSteps: 2, totalSteps: 4, decaySteps: 3 }),
    ).toThrow('warmupSteps 2 and decaySteps 3 are more than totalSteps 4');
    expect(() => warmupConstant({ peak: -1, warmupSteps: 0 })).toThrow('peak is -1');
    expect(() => warmupInverseSquareRoot({ peak: 1, warmupSteps: 1, timescale: 0 })).toThrow(
      'timescale is 0; expected a number above 0',
    );
  });
});
