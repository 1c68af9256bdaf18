import { expect, test } from 'vitest';
import { type TrialRecord, trialLines, trialReport } from '../index.js';

const record = (shots: number, n: number, correct: boolean): TrialRecord => ({
  ...{ condition: `p, ${shots} shots`, prompt: 'p', shots, chain: false, seed: 0, order: 0 },
  ...{ example: `${n}`, shown: [], calls: [], answer: 'a', expected: 'a', correct },
  ...{ confidence: 0.75, promptTokens: 20 + shots, answerTokens: 2 },
});

test('a report as text: columns that are used, and the best against the others', () => {
  const numbers = Array.from({ length: 10 }, (_, n) => n);
  const records = [0, 4].flatMap((shots) =>
    numbers.map((n) => record(shots, n, shots === 4 ? n < 9 : n === 9)),
  );
  const seconds = new Map([
    ['p, 0 shots', 0.025],
    ['p, 4 shots', 1.2],
  ]);
  const price = { read: 1e-6, written: 2e-6 };
  expect(trialLines(trialReport(records, { seconds, price, alpha: 0.1 }))).toEqual([
    'prompt  shots  accuracy     90 % interval    ECE  tokens read  written   ms      cost',
    'p           0    10.0 %    0.0 % – 30.0 %  0.650           20      2.0  2.5  0.000240',
    'p           4    90.0 %  70.0 % – 100.0 %  0.150           24      2.0  120  0.000280',
    '',
    'p, 4 shots, against  points        interval  test                p  adjusted',
    'p, 0 shots            +80.0  +40.0 – +100.0  McNemar, 9 : 1  0.021     0.021',
  ]);
});
