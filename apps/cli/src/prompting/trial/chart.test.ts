import { type TrialRecord, trialReport } from '@headwise/prompting';
import { expect, test } from 'vitest';
import { trialChart } from './chart.js';

const records = ['a<b', 'plain'].flatMap((prompt) =>
  [0, 4].flatMap((shots) =>
    Array.from({ length: 20 }, (_, n): TrialRecord => {
      const right = prompt === 'plain' ? 10 : shots === 0 ? 10 : 16;
      return {
        ...{ condition: `${prompt}, ${shots} shots`, prompt, shots, chain: false, seed: 0 },
        ...{ order: 0, example: `${n}`, shown: [], calls: [], answer: 'x', expected: 'x' },
        ...{ correct: n < right, promptTokens: 1, answerTokens: 1 },
      };
    }),
  ),
);
const report = trialReport(records);
const placesOf = (svg: string) =>
  [...svg.matchAll(/<circle class="mean" cx="([\d.]+)" cy="([\d.]+)" r="5"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]);

test('means lie where their accuracy is, beside each other at one number of shots, and guessing where it is', () => {
  const svg = trialChart(report, { chance: 0.5 });
  const [none, four, plainNone, plainFour] = placesOf(svg);
  // 50 % and 80 % on one scale, whose ends are whole tens around all intervals.
  const { low } = report.conditions[0]!;
  const high = Math.max(...report.conditions.map((one) => one.high));
  const [from, to] = [Math.floor(low * 10) / 10, Math.ceil(high * 10) / 10];
  const at = (accuracy: number) => 346 - ((accuracy - from) / (to - from)) * (346 - 76);
  expect(none![1]).toBeCloseTo(at(0.5), 0);
  expect(four![1]).toBeCloseTo(at(0.8), 0);
  expect(plainFour![1]).toBe(plainNone![1]);
  expect(plainNone![0]! - none![0]!).toBe(36);
  expect(four![0]! - none![0]!).toBe(252);
  expect(svg).toContain(`<line class="chance" x1="56" x2="560" y1="${none![1]}"`);
  expect(trialChart(report)).not.toContain('class="chance" x1');
});

test('names are text, and lie beside each other, not on each other', () => {
  const svg = trialChart(report);
  expect(svg).not.toContain('a<b');
  expect(svg).toContain('a&#60;b');
  const names = [...svg.matchAll(/<text class="name" x="\d+" y="([\d.]+)"/g)].map(([, y]) =>
    Number(y),
  );
  expect(Math.abs(names[1]! - names[0]!)).toBeGreaterThanOrEqual(17);
});
