import { expect, test } from 'vitest';
import { parseGenerationConfig } from './generation-config.js';
import golden from './goldens/processors.json' with { type: 'json' };
import type { GenerateOptions } from './options.js';
import { processScores } from './process-scores.js';

for (const [i, { config, options, sequence, promptLength, scores, expected }] of (
  golden.cases as readonly ProcessorCase[]
).entries()) {
  test(`scores are Hugging Face's, case ${i}: ${JSON.stringify({ ...config, ...options })}`, () => {
    const given = { ...parseGenerationConfig(config, 'config').options, ...options };
    const sampled = options?.topNSigma === undefined ? {} : { temperature: 1, ...options };
    const actual = processScores(scores, sequence, promptLength, { ...given, ...sampled });
    for (const [id, score] of expected.entries()) {
      if (score === null) expect(actual[id], `token ${id}`).toBe(Number.NEGATIVE_INFINITY);
      else expect(Math.abs(actual[id]! - score), `token ${id}`).toBeLessThan(1e-5);
    }
  });
}

interface ProcessorCase {
  config: Readonly<Record<string, unknown>>;
  options?: GenerateOptions;
  sequence: readonly number[];
  promptLength: number;
  scores: readonly number[];
  /** null for −∞ */
  expected: readonly (number | null)[];
}

test('the worked example: cake .20, donut .10, banana .02, apple .01', () => {
  const foods = ['cake', 'donut', 'banana', 'apple'];
  // The rest of the probability lies on tokens that are as unlikely as need be.
  const rest = Array.from({ length: 670 }, () => 0.001);
  const scores = [0.2, 0.1, 0.02, 0.01, ...rest].map(Math.log);
  const kept = (options: GenerateOptions) =>
    foods.filter((_, id) => processScores(scores, [9], 1, options)[id]! > -Infinity);
  expect(kept({ topK: 3 })).toEqual(['cake', 'donut', 'banana']);
  expect(kept({ topP: 0.3 })).toEqual(['cake', 'donut']);
  const ratio = (temperature: number) => {
    const [cake, donut] = processScores(scores, [9], 1, { temperature });
    return Math.exp(cake! - donut!);
  };
  expect(ratio(1)).toBeCloseTo(2, 9);
  expect(ratio(0.5)).toBeCloseTo(4, 9);
  expect(ratio(2)).toBeCloseTo(Math.SQRT2, 9);
});

test('bad options and scores are named', () => {
  const run =
    (options: GenerateOptions, scores: readonly number[] = [1, 2, 3]) =>
    () =>
      processScores(scores, [0, 1], 1, options);
  const refused: [GenerateOptions, string][] = [
    [{ temperature: -1 }, 'temperature is -1; expected a number of at least 0'],
    [{ topP: 0 }, 'topP is 0; expected 0 < topP ≤ 1'],
    [{ topK: 0 }, 'topK is 0; expected a whole number of at least 1'],
    [{ typicalP: 0 }, 'typicalP is 0; expected 0 < typicalP ≤ 1'],
    [{ epsilonCutoff: 1 }, 'epsilonCutoff is 1; expected 0 ≤ epsilonCutoff < 1'],
    [{ etaCutoff: -1 }, 'etaCutoff is -1; expected 0 ≤ etaCutoff < 1'],
    [{ topNSigma: Number.NaN }, 'topNSigma is NaN; expected a number of at least 0'],
    [{ encoderRepetitionPenalty: 0 }, 'encoderRepetitionPenalty is 0; expected a number above 0'],
    [{ logitBias: new Map([[3, 1]]) }, 'logitBias: id 3 is outside the vocabulary of 3 tokens'],
    [{ logitBias: new Map([[1, Number.NaN]]) }, 'logitBias of [1] is NaN; expected a number or −∞'],
    [{ sequenceBias: [[[], 1]] }, 'sequenceBias has a sequence without tokens'],
    [
      { lengthDecay: { start: 1, factor: 0 } },
      'expected a start of at least 0 tokens and a factor',
    ],
    [{ guidanceScale: Number.POSITIVE_INFINITY }, 'guidanceScale is Infinity; expected a number'],
    [{ negativePrompt: [1] }, 'negativePrompt is given, but guidanceScale is 1'],
    [
      { forcedLastId: [1, 2], suppressIds: [1, 2] },
      'forcedLastId is [1,2], which suppressIds rules',
    ],
    [
      { suppressIds: [0, 1, 2] },
      'all 3 scores of row 0 are −∞; expected a token that can be drawn',
    ],
  ];
  for (const [options, message] of refused) expect(run(options)).toThrow(message);
  expect(run({}, [1, Number.NaN])).toThrow('the score of token 1 in row 0 is NaN or +∞');
});
