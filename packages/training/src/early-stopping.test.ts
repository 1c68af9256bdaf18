import { expect, test } from 'vitest';
import { EarlyStopping } from './early-stopping.js';

const run = (losses: number[], stopping: EarlyStopping) =>
  losses.map((loss) => {
    const { improved, stop } = stopping.measured(loss);
    return `${improved ? 'best' : 'worse'}${stop ? ', stop' : ''}`;
  });

test('stops after as many measurements without a better loss as its patience', () => {
  const stopping = new EarlyStopping({ patience: 2 });
  expect(run([3, 2, 2, 1.9, 2.5, 2.4], stopping)).toEqual([
    'best',
    'best',
    'worse',
    'best',
    'worse',
    'worse, stop',
  ]);
  expect(stopping.state).toEqual({ best: 1.9, since: 2 });
});

test('a threshold asks for more, and a saved state goes on', () => {
  const first = new EarlyStopping({ patience: 2, threshold: 0.1 });
  expect(run([1, 0.95], first)).toEqual(['best', 'worse']);
  const state = JSON.parse(JSON.stringify(first.state));
  const second = new EarlyStopping({ patience: 2, threshold: 0.1, state });
  expect(run([0.95], second)).toEqual(['worse, stop']);
  const other = new EarlyStopping({ patience: 2, threshold: 0.1, state });
  expect(run([0.85, 0.8], other)).toEqual(['best', 'worse']);
});

test('refuses what it cannot compare', () => {
  for (const patience of [0, 1.5, Number.NaN]) {
    expect(() => new EarlyStopping({ patience })).toThrow(
      `EarlyStopping: patience is ${patience}; expected a whole number of at least 1`,
    );
  }
  expect(() => new EarlyStopping({ patience: 1, threshold: -1 })).toThrow('threshold is -1');
  expect(() => new EarlyStopping({ patience: 1 }).measured(Number.NaN)).toThrow('the loss is NaN');
});
