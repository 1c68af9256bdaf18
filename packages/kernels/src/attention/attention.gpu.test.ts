import {
  cases,
  expectClose,
  gaussian,
  inBrowser,
  outputAndGradients,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { afterEach, describe, test } from 'vitest';
import { attention } from './index.js';
import { and, none } from './masks/mask.js';
import { causal } from './masks/order.js';
import { padding } from './masks/tokens.js';
import { attentionReference } from './reference.js';
import { forceTiling, tilingsOf } from './tilings.js';

/** Every length, width and grouping at least once; the few are one of each form of the shaders. */
const shapes = [
  { heads: [8, 8], queries: 1, keys: 1, width: 8 },
  { heads: [8, 2], queries: 3, keys: 3, width: 40, padded: true, few: true },
  { heads: [8, 1], queries: 63, keys: 65, width: 64 },
  { heads: [8, 8], queries: 64, keys: 64, width: 8 },
  { heads: [8, 2], queries: 65, keys: 63, width: 64, padded: true, few: true },
  { heads: [8, 1], queries: 127, keys: 127, width: 40 },
  { heads: [2, 1], queries: 513, keys: 513, width: 64 },
  { heads: [3, 1], queries: 5, keys: 11, width: 7, few: true },
  { heads: [4, 2], queries: 65, keys: 127, width: 80 },
  { heads: [1, 1], queries: 1, keys: 513, width: 128 },
  { heads: [2, 2], queries: 63, keys: 65, width: 256, few: true },
  { heads: [2, 1], queries: 5, keys: 33, width: 300, few: true },
];

const masks = { none, causal };
// Chromium's software adapter compiles each shader for seconds.
const chosen = cases(shapes, ({ few, queries }) => (inBrowser ? queries === 3 : !!few));

const backend = tf.backend() as WebGPUBackend;
afterEach(() => forceTiling(undefined));

const tilings = tilingsOf(backend, { key: 64, value: 64 });
for (const tiling of cases(tilings, ({ key }) => !inBrowser || key !== 'direct')) {
  // The direct tiling is the shuffled one but for its reads, which narrow heads show.
  const mine = chosen.filter(({ width }) => tiling.key !== 'direct' || width <= 40);
  describe(`attention in tiling ${tiling.key} equals the reference`, () => {
    for (const [i, { heads, queries, keys, width, padded }] of mine.entries()) {
      for (const [name, mask] of cases(Object.entries(masks), (_, j) => (i + j) % 2 === 0)) {
        test(`${queries} × ${keys}, heads ${heads.join('/')} of ${width}, ${name}`, async () => {
          forceTiling(tiling.key);
          const [batch, scale] = [2, 1 / Math.sqrt(width)];
          const inputs = [
            gaussian([batch, heads[0]!, queries, width], 1),
            gaussian([batch, heads[1]!, keys, width], 2),
            gaussian([batch, heads[1]!, keys, width], 3),
          ];
          const lengths = padding(tf.tensor1d([keys, keys >> 1], 'int32'));
          const options = { mask: padded ? and(mask, lengths) : mask, scale };
          const expected = outputAndGradients(
            (q, k, v) => attentionReference(q!, k!, v!, options),
            inputs,
          );
          const rows = [batch, heads[0]!, queries];
          await poisonMemory([...inputs.map((x) => x.shape), [...rows, 3], [...rows, 4]]);
          const actual = outputAndGradients((q, k, v) => attention(q!, k!, v!, options), inputs);
          await expectClose(actual.output, expected.output);
          for (const [n, gradient] of actual.gradients.entries()) {
            await expectClose(gradient, expected.gradients[n]!, { floor: 1e-6 });
          }
        });
      }
    }
  });
}
