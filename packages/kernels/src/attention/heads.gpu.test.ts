import { cases, expectClose, expectNoLeak, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { afterEach, describe, expect, test } from 'vitest';
import { expectSameBits, layouts, shapes, tokensFirst } from './heads.cases.js';
import { Heads } from './heads.js';
import { attention, attentionOfHeads } from './index.js';
import { forceTiling, tilingsOf } from './tilings.js';

const backend = tf.backend() as WebGPUBackend;
afterEach(() => forceTiling(undefined));

const tilings = tilingsOf(backend, { key: 64, value: 64 });
for (const tiling of tilings) {
  describe(`attention in tiling ${tiling.key} gives the same bits wherever its heads lie`, () => {
    const chosen = shapes.flatMap((shape) => Object.keys(layouts).map((name) => ({ shape, name })));
    // Every layout in one shape, and one layout in a width that is not a multiple of four.
    const few = cases(
      chosen,
      ({ shape, name }) => !!shape.few || (shape.width === 7 && name === 'in one tensor'),
    );
    // Tables and their gradients in the tiling that compiles soonest.
    const tables = tiling.key === 'direct';
    for (const { shape, name } of few) {
      const { heads, queries, keys, width } = shape;
      const layout = layouts[name]!;
      if (layout.level && queries !== keys) continue;
      test(`${name}: ${queries} × ${keys}, heads ${heads.join('/')} of ${width}`, async () => {
        forceTiling(tiling.key);
        await expectSameBits(shape, layout, tables);
      });
    }
  });
}

test('heads of one tensor are read and their gradients written without a copy', async () => {
  const qkv = gaussian([1, 5, 6, 8], 1);
  const of = (x: tf.Tensor) => [0, 2, 4].map((first) => Heads.ofTokens(x, first, 2));
  const run = (x: tf.Tensor) => {
    const [q, k, v] = of(x);
    return attentionOfHeads(q!, k!, v!).tokensFirst();
  };
  const { kernelNames } = await tf.profile(() => tf.grad(run)(qkv, gaussian([1, 5, 2, 8], 2)));
  const computing = kernelNames.filter((name) => name !== 'Identity' && name !== 'Reshape');
  expect(computing).toEqual(['headwise/Attention', 'headwise/AttentionGradient']);
  await expectNoLeak(() => tf.dispose(tf.grad(run)(qkv)));
});

test('one tensor as queries, keys and values gets the sum of their gradients', async () => {
  const x = gaussian([1, 5, 2, 8], 1);
  const heads = (x: tf.Tensor) => Heads.ofTokens(x);
  const dx = tf.grad((x) => attentionOfHeads(heads(x), heads(x), heads(x)).tensor)(x);
  const turned = tf.grad((x) => attention(x, x, x))(tokensFirst(x));
  await expectClose(tokensFirst(dx), turned, { ratio: 1e-6 });
});

test('refuses heads that a tensor does not have', () => {
  expect(() => Heads.ofTokens(tf.zeros([1, 2, 3, 4]), 2, 2)).toThrow(
    'heads: 2 from 2 on, of 3; expected some that exist',
  );
  expect(() => Heads.ofTokens(tf.zeros([2, 3, 4]))).toThrow(
    'heads: x has shape [2, 3, 4]; expected [B, T, N, Dh]',
  );
});
