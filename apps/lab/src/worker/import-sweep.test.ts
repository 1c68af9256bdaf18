import type { TrialResult } from '@headwise/runs';
import { parseRunConfig } from '@headwise/runs';
import { expect, test } from 'vitest';
import { runOf } from './import-sweep.js';

const config = parseRunConfig({
  model: { dim: 16, heads: 2, layers: 3, position: 'rotary' },
  data: { task: 'reverse', length: 3 },
  training: { steps: 4, learningRate: 0.02 },
});
const trial: TrialResult = {
  name: '001',
  settings: { 'model.layers': 3, 'model.position': 'rotary' },
  config,
  status: 'failed',
  problem: 'training diverged',
  history: [
    { step: 0, validation: { loss: 3 } },
    { step: 0, loss: 2, gradientNorm: 1, learningRate: 0.02, ms: 500, tokens: 10 },
    { step: 1, loss: 1, gradientNorm: 1, learningRate: 0.02, ms: 500, tokens: 10 },
  ],
};

test('a trial of a sweep is a run with its settings, its curves and why it failed', () => {
  const { record, news } = runOf(trial, { id: 'a', name: 'sweep 001' });
  expect(record).toMatchObject({
    name: 'sweep 001: layers 3, position rotary',
    status: 'failed',
    problem: 'training diverged',
    step: 2,
    seconds: 1,
    loss: 1,
    validationLoss: 3,
  });
  expect(record.checkpoint).toBeUndefined();
  expect(record.config.model.layers).toBe(3);
  expect(news.points.map(({ loss, tokensPerSecond }) => [loss, tokensPerSecond])).toEqual([
    [2, 20],
    [1, 20],
  ]);
  expect(news.validations).toHaveLength(1);
});
