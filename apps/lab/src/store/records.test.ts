import type { HistoryEntry } from '@headwise/runs';
import { expect, test } from 'vitest';
import { parseRunConfig } from '../model/run-config.js';
import { addEntry, entriesOf, historyUpTo, noNews, type RunRecord } from './records.js';

const stepEntry = (step: number): HistoryEntry => ({
  step,
  loss: 4 - step,
  gradientNorm: 0.5,
  learningRate: 0.01,
  ms: 125 * (step + 1),
  tokens: 24,
});
const sampleAt = (step: number, temperature: number): HistoryEntry => ({
  step,
  sample: { prompt: 'ab|', text: 'ba', temperature },
});
const history: HistoryEntry[] = [
  { step: 0, validation: { loss: 4.5, bitsPerByte: 6 } },
  stepEntry(0),
  stepEntry(1),
  { step: 2, validation: { loss: 2.5 } },
  sampleAt(2, 0),
  sampleAt(2, 0.8),
  stepEntry(2),
];

test('a history goes into the record of a run and comes out as it was', () => {
  const record: RunRecord = {
    id: 'a',
    name: 'a',
    config: parseRunConfig({}),
    status: 'running',
    createdAt: 0,
    step: 0,
    seconds: 0,
  };
  const news = noNews();
  for (const entry of history) addEntry(record, news, entry, 7);
  expect(record).toMatchObject({ step: 3, seconds: 0.75, loss: 2, validationLoss: 2.5 });
  expect(news.points[1]).toMatchObject({ seconds: 0.375, tokensPerSecond: 96, memory: 7 });
  expect(entriesOf(news)).toEqual(history);
  expect(entriesOf(historyUpTo(news, 1))).toEqual(history.slice(0, 2));
  expect(entriesOf(historyUpTo(news, 2))).toEqual(history.slice(0, 6));
});
