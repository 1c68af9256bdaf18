import { expect, test } from 'vitest';
import type { HistoryEntry } from '../history.js';
import { parseAxes } from './axes.js';
import { measuresOf, parseSweepFile, ranked, type TrialResult, thinned } from './sweep-file.js';
import { settingsText, sweepTrials } from './trials.js';

const json = {
  model: { dim: 16, heads: 2, layers: 1 },
  data: { task: 'reverse', length: 3 },
  training: { steps: 40, learningRate: 0.02 },
};
const trialsOf = (grid: string[], random?: { count: number; seed: number }) =>
  sweepTrials(json, { axes: parseAxes(grid), random }, 'run.json');
const words = (grid: string[], random?: { count: number; seed: number }) =>
  trialsOf(grid, random).map(({ settings }) => settingsText(settings));

test('a grid has every combination, the last key changing first', () => {
  const trials = trialsOf(['model.layers=2,4', 'model.norm=layer,rms']);
  expect(trials.map(({ name, settings }) => [name, settingsText(settings)])).toEqual([
    ['000', 'model.layers=2 model.norm=layer'],
    ['001', 'model.layers=2 model.norm=rms'],
    ['002', 'model.layers=4 model.norm=layer'],
    ['003', 'model.layers=4 model.norm=rms'],
  ]);
  expect(trials[3]!.config).toMatchObject({
    model: { dim: 16, layers: 4, norm: 'rms' },
    training: { learningRate: 0.02 },
  });
  expect(words(['samples={"every":2},{"every":5}'])).toEqual([
    'samples={"every":2}',
    'samples={"every":5}',
  ]);
});

test('random points depend on the seed alone, lie in their ranges, and those of fewer come first', () => {
  const grid = ['model.layers=1..3', 'training.learningRate=1e-4..1e-2:log'];
  const points = trialsOf(grid, { count: 40, seed: 7 }).map(({ settings }) => settings);
  expect(trialsOf(grid, { count: 9, seed: 7 }).map(({ settings }) => settings)).toEqual(
    points.slice(0, 9),
  );
  expect(words(grid, { count: 4, seed: 8 })).not.toEqual(words(grid, { count: 4, seed: 7 }));
  const layers = points.map((point) => point['model.layers'] as number);
  const rates = points.map((point) => point['training.learningRate'] as number);
  expect(new Set(layers)).toEqual(new Set([1, 2, 3]));
  expect(rates.every((rate) => rate >= 1e-4 && rate <= 1e-2)).toBe(true);
  // Half of a logarithmic range lies below its geometric mean.
  expect(rates.filter((rate) => rate < 1e-3).length).toBeGreaterThan(10);
  expect(rates.filter((rate) => rate > 1e-3).length).toBeGreaterThan(10);
});

test('a random search takes different points of a grid, all of them where it is asked for as many', () => {
  const grid = ['model.layers=1,2,3', 'training.seed=0,1'];
  expect(words(grid, { count: 6, seed: 1 }).sort()).toEqual(words(grid).sort());
});

test.each<[string[], { count: number; seed: number } | undefined, RegExp]>([
  [['model.layrs=1,2'], undefined, /unknown key 'model\.layrs'; the nearest known is 'layers'/],
  [['model.layers=1,x'], undefined, /run\.json with model\.layers=x: 'model\.layers' is "x"/],
  [['model.layers=0,1'], undefined, /run\.json with model\.layers=0: 'model\.layers' is 0/],
  [['model.dim=15,16'], undefined, /'model\.dim' 15 is not divisible by 'model\.heads' 2/],
  [['model.layers=1,2,1.0'], undefined, /--grid 'model\.layers=1,2,1\.0': 1 is given twice/],
  [
    ['training.steps.x=1,2'],
    undefined,
    /--grid training\.steps\.x: 'steps' is 40; expected an object/,
  ],
  [['model.layers=1', 'model.layers=2'], undefined, /--grid model\.layers is given twice/],
  [['data=1', 'data.length=3,4'], undefined, /--grid data\.length and --grid data change the same/],
  [['model.layers='], undefined, /is not of the form path=value,value/],
  [['model.layers'], undefined, /is not of the form path=value,value/],
  [['model.layers=1,,2'], undefined, /a value is empty/],
  [['model.layers=3..1'], undefined, /expected a range that rises; got 3\.\.1/],
  [['training.minLearningRate=0..1:log'], undefined, /a logarithmic range begins above 0; got 0/],
  [['model.layers=1..3'], undefined, /a range is for a random search; give --random/],
  [['model.layers=1,2'], { count: 3, seed: 0 }, /--random is 3; the grid has 2 different points/],
  [['model.layers=1,2'], { count: 0, seed: 0 }, /--random is 0; expected a whole number from 1/],
  [['training.seed=0,1', 'model.kvHeads=2'], { count: 2, seed: 0.5 }, /seed must be an integer/],
  [['model.dropout=0,null'], undefined, /'model\.dropout' is null/],
  [[], undefined, /a sweep has no --grid/],
])('%j is refused by name', (grid, random, message) => {
  expect(() => trialsOf(grid, random)).toThrow(message);
});

const step = (n: number, loss: number): HistoryEntry => ({
  ...{ step: n, loss, gradientNorm: 1, learningRate: 0.1, ms: 2, tokens: 3 },
});
const trial = (name: string, loss: number, status: TrialResult['status'] = 'done') =>
  ({
    ...{ name, status, settings: {}, config: trialsOf(['model.layers=1'])[0]!.config },
    history: [step(0, 9), { step: 1, validation: { loss } }],
  }) satisfies TrialResult;

test('trials are ranked by what was measured last; those without a result come last', () => {
  const all = [
    trial('000', 3),
    trial('001', 1, 'failed'),
    trial('002', 2),
    trial('003', 4, 'open'),
  ];
  expect(ranked(all).map(({ name, value }) => [name, value])).toEqual([
    ['002', 2],
    ['000', 3],
    ['001', undefined],
    ['003', undefined],
  ]);
});

test('a long history keeps its mean losses, its time, its last step and every validation', () => {
  const history: HistoryEntry[] = Array.from({ length: 1001 }, (_, i) => step(i, i));
  history.splice(500, 0, { step: 500, validation: { loss: 1 } });
  const short = thinned(history);
  const steps = short.filter((entry) => 'loss' in entry);
  expect(steps.length).toBeLessThan(402);
  expect(steps.reduce((ms, entry) => ms + entry.ms, 0)).toBe(2002);
  expect(steps[0]).toMatchObject({ step: 2, loss: 1, tokens: 9 });
  expect(measuresOf(short)).toMatchObject({ steps: 1001, loss: 1000, validationLoss: 1 });
  expect(thinned(history.slice(0, 30))).toEqual(history.slice(0, 30));
});

test("a sweep's file is read as it was written, and another is refused by name", () => {
  const search = { grid: ['model.layers=1'] };
  const file = { headwise: 'sweep' as const, search, trials: [trial('000', 3)] };
  expect(parseSweepFile(JSON.parse(JSON.stringify(file)))).toEqual(file);
  expect(() => parseSweepFile({ ...file, trials: [{ name: 3 }] }, 's.json')).toThrow(
    /s\.json: 'trials\.0\.name' is 3/,
  );
});
