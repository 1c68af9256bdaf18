import { expectClose, gaussian, outputAndGradients, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, test } from 'vitest';
import { attention } from './index.js';
import { causal, none } from './mask.js';
import { attentionReference } from './reference.js';

/** Every length, every width and every grouping at least once, with masks and lengths in turn. */
const cases = [
  { heads: [8, 8], queries: 1, keys: 1, width: 8 },
  { heads: [8, 2], queries: 3, keys: 3, width: 40 },
  { heads: [8, 1], queries: 63, keys: 65, width: 64 },
  { heads: [8, 8], queries: 64, keys: 64, width: 8 },
  { heads: [8, 2], queries: 65, keys: 63, width: 80 },
  { heads: [8, 1], queries: 127, keys: 127, width: 40 },
  { heads: [2, 1], queries: 513, keys: 513, width: 64 },
  { heads: [1, 1], queries: 1, keys: 513, width: 128 },
  { heads: [2, 2], queries: 65, keys: 127, width: 256 },
  { heads: [3, 1], queries: 5, keys: 11, width: 7 },
] as const;

describe('attention on WebGPU equals the reference', () => {
  for (const { heads, queries, keys, width } of cases) {
    const [h, kv] = heads;
    test(`${queries} × ${keys}, heads ${h}/${kv} of ${width}`, async () => {
      const batch = 2;
      const inputs = [
        gaussian([batch, h, queries, width], 1),
        gaussian([batch, kv, keys, width], 2),
        gaussian([batch, kv, keys, width], 3),
      ];
      for (const mask of [none, causal]) {
        for (const lengths of [undefined, tf.tensor1d([keys, keys >> 1], 'int32')]) {
          const scale = 1 / Math.sqrt(width);
          const options = { mask, scale, ...(lengths ? { lengths } : {}) };
          const expected = outputAndGradients(
            (q, k, v) => attentionReference(q!, k!, v!, options),
            inputs,
          );
          await poisonMemory([
            inputs[0]!.shape,
            inputs[1]!.shape,
            [batch, h, queries, 3],
            [batch, h, queries, 4],
          ]);
          const actual = outputAndGradients((q, k, v) => attention(q!, k!, v!, options), inputs);
          await expectClose(actual.output, expected.output);
          for (const [i, gradient] of actual.gradients.entries()) {
            await expectClose(gradient, expected.gradients[i]!, { floor: 1e-6 });
          }
        }
      }
    });
  }
});
