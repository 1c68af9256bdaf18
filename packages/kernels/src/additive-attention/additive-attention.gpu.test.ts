import { cases, expectClose, gaussian, outputAndGradients, poisonMemory } from '@headwise/testing';
import { describe, test } from 'vitest';
import { additiveScores } from './index.js';
import { type AdditiveActivation, additiveScoresReference } from './reference.js';

/** Every length, width and grouping at least once; the activations in turn. */
const sizes = [
  { heads: [1, 1], queries: 1, keys: 1, width: 1, activation: 'tanh' },
  { heads: [4, 2], queries: 3, keys: 5, width: 7, activation: 'none' },
  { heads: [3, 1], queries: 63, keys: 65, width: 16, activation: 'tanh' },
  { heads: [2, 2], queries: 64, keys: 64, width: 17, activation: 'relu' },
  { heads: [6, 3], queries: 65, keys: 33, width: 40, activation: 'gelu' },
  { heads: [1, 1], queries: 2, keys: 257, width: 64, activation: 'silu' },
  { heads: [2, 1], queries: 17, keys: 1, width: 130, activation: 'gelu_new' },
];

describe('additive scores on WebGPU equal the reference', () => {
  for (const { heads, queries, keys, width, activation } of cases(sizes, ({ queries }) =>
    [3, 65, 17].includes(queries),
  )) {
    test(`${activation}: ${queries} × ${keys}, heads ${heads.join('/')} of ${width}`, async () => {
      const f = activation as AdditiveActivation;
      const inputs = [
        gaussian([2, heads[0]!, queries, width], 1),
        gaussian([2, heads[1]!, keys, width], 2),
        gaussian([heads[0]!, width], 3),
      ];
      const expected = outputAndGradients(
        (q, k, w) => additiveScoresReference(q!, k!, w!, f),
        inputs,
      );
      await poisonMemory([...inputs.map((x) => x.shape), expected.output.shape]);
      const actual = outputAndGradients((q, k, w) => additiveScores(q!, k!, w!, f), inputs);
      await expectClose(actual.output, expected.output);
      for (const [i, gradient] of actual.gradients.entries()) {
        await expectClose(gradient, expected.gradients[i]!, { floor: 1e-6 });
      }
    });
  }
});
