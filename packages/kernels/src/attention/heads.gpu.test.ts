import { cases, expectClose, expectNoLeak, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { afterEach, describe, expect, test } from 'vitest';
import { scoreTable } from './expression/table.js';
import { Heads } from './heads.js';
import { type AttentionOptions, attention, attentionOfHeads } from './index.js';
import { and } from './masks/mask.js';
import { causal } from './masks/order.js';
import { padding } from './masks/tokens.js';
import { scoreMod } from './mods.js';
import { forceTiling, tilingsOf } from './tilings.js';

/** Heads as `[B, T, N, Dh]`. */
const tokensFirst = (x: tf.Tensor) => x.transpose([0, 2, 1, 3]);
const joined = (...xs: tf.Tensor[]) => tf.concat(xs.map(tokensFirst), 2);

/** Where q, k and v lie, from each of them as `[B, H, T, Dh]`: the tensors, and the heads in them. */
interface Layout {
  /** Needs as many queries as keys, and heads of one width. */
  level?: boolean;
  tensors: (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => tf.Tensor[];
  heads: (tensors: tf.Tensor[], count: number, kvCount: number) => [Heads, Heads, Heads];
}

const layouts: Record<string, Layout> = {
  'tokens first': {
    tensors: (...qkv) => qkv.map(tokensFirst),
    heads: (xs) => xs.map((x) => Heads.ofTokens(x)) as [Heads, Heads, Heads],
  },
  'in one tensor': {
    level: true,
    tensors: (q, k, v) => [joined(q, k, v)],
    heads: ([x], n, m) => [
      Heads.ofTokens(x!, 0, n),
      Heads.ofTokens(x!, n, m),
      Heads.ofTokens(x!, n + m, m),
    ],
  },
  'in one tensor, values before keys, with others between': {
    level: true,
    tensors: (q, k, v) => [joined(v, q.mul(100), q, k, k.mul(-50))],
    heads: ([x], n, m) => [
      Heads.ofTokens(x!, m + n, n),
      Heads.ofTokens(x!, m + 2 * n, m),
      Heads.ofTokens(x!, 0, m),
    ],
  },
  'keys and values in one, queries heads first': {
    tensors: (q, k, v) => [q, joined(k, v)],
    heads: ([q, kv], _n, m) => [Heads.of(q!), Heads.ofTokens(kv!, 0, m), Heads.ofTokens(kv!, m, m)],
  },
};

const shapes = [
  { heads: [4, 2], queries: 65, keys: 65, width: 40, few: true },
  { heads: [8, 8], queries: 1, keys: 1, width: 8 },
  { heads: [6, 1], queries: 33, keys: 33, width: 7 },
  { heads: [2, 2], queries: 5, keys: 131, width: 64 },
  { heads: [3, 1], queries: 64, keys: 63, width: 80 },
];

const backend = tf.backend() as WebGPUBackend;
afterEach(() => forceTiling(undefined));

/** A mask, and with tables also a learned slope and a sink for each head. */
function optionsOf(keys: number, tables: boolean, [slopes, sinks]: tf.Tensor[]): AttentionOptions {
  const mask = and(causal, padding(tf.tensor1d([keys, Math.max(1, keys >> 1)], 'int32')));
  if (!tables) return { mask };
  const slope = scoreMod((score, _b, h, q, k) =>
    score.sub(scoreTable(slopes!).at(h).mul(q.sub(k).abs().toFloat())),
  );
  return { mask, mods: [slope], sinks };
}

const bits = async (xs: tf.Tensor[]) =>
  Promise.all(xs.map(async (x) => new Uint32Array((await x.data()).slice().buffer)));

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
        const [n, m] = heads as [number, number];
        const [q, k, v] = [
          gaussian([2, n, queries, width], 1),
          gaussian([2, m, keys, width], 2),
          gaussian([2, m, keys, width], 3),
        ] as const;
        const dy = gaussian([2, n, queries, width], 4);
        const learned = tables ? [gaussian([n], 5).mul(0.1), gaussian([n], 6)] : [];
        const plain = (...[q, k, v, ...rest]: tf.Tensor[]) =>
          attention(q!, k!, v!, optionsOf(keys, tables, rest));
        const given = [q, k, v, ...learned];
        const expected = [plain(...given), ...tf.grads(plain)(given, dy)];
        const tensors = layout.tensors(q, k, v);
        const count = tensors.length;
        const strided = (...xs: tf.Tensor[]) => {
          const options = optionsOf(keys, tables, xs.slice(count));
          return attentionOfHeads(...layout.heads(xs.slice(0, count), n, m), options);
        };
        const inputs = [...tensors, ...learned];
        const step = () => {
          const y = strided(...inputs);
          const cotangent = y.place.order === 'heads-first' ? dy : tokensFirst(dy);
          const gradients = tf.grads((...xs) => strided(...xs).tensor)(inputs, cotangent);
          const ofTensors = gradients.slice(0, count);
          const parts = layout.heads(ofTensors, n, m).map((part) => part.headsFirst());
          return { found: [y.headsFirst(), ...parts, ...gradients.slice(count)], ofTensors };
        };
        await poisonMemory([...tensors.map(({ shape }) => shape), dy.shape, [2, n, queries, 4]]);
        const { found, ofTensors } = step();
        expect(await bits(found)).toEqual(await bits(expected));
        expect(await bits(step().found)).toEqual(await bits(found));
        // Heads that take no part have gradients of zero: all that is left of the sum.
        const all = tf.addN(ofTensors.map((x) => x.square().sum()));
        const own = tf.addN(found.slice(1, 4).map((x) => x.square().sum()));
        await expectClose(all, own, { ratio: 1e-5 });
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
