import { expectClose, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { layerNormReference } from '../layer-norm/reference.js';
import { activations } from '../linear/activation.js';
import { packWeight } from '../packed-linear/pack.js';
import { unpackWeight } from '../packed-linear/unpack.js';
import { rmsNormReference } from '../rms-norm/reference.js';
import { attendCached, projectIntoCache } from './cache.js';
import { decodeLinear } from './linear.js';
import type { Norm } from './normalized.js';
import { embedToken, tokenScores } from './tokens.js';
import { foldNorm } from './weight.js';

const int = (value: number) => tf.tensor1d([value], 'int32');

function normOf(kind: Norm['kind'], width: number): Norm {
  const weight = gaussian([width], 7);
  if (kind === 'layer') return { kind, weight, bias: gaussian([width], 8) };
  return kind === 'rms' ? { kind, weight } : { kind };
}

function reference(x: tf.Tensor, norm: Norm): tf.Tensor2D {
  if (norm.kind === 'none') return x as tf.Tensor2D;
  const y =
    norm.kind === 'rms'
      ? rmsNormReference(x, norm.weight!, 1e-6)
      : layerNormReference(x, norm.weight!, norm.bias!, 1e-5);
  return y as tf.Tensor2D;
}

describe('decodeLinear equals norm, product, bias, activation and residual one by one', () => {
  for (const [rows, inner, out, kind, activation, residual] of [
    [1, 1, 1, 'none', 'none', false],
    [1, 64, 192, 'layer', 'none', false],
    [1, 65, 127, 'rms', 'silu', true],
    [3, 63, 65, 'layer', 'gelu_new', true],
    [8, 40, 513, 'layer', 'none', true],
  ] as const) {
    test(`${rows} × ${inner} × ${out}, norm ${kind}, ${activation}`, async () => {
      // A large offset must not cost digits.
      const x = tf.tidy(() =>
        gaussian([rows, inner], 1).add(kind === 'layer' ? 100 : 0),
      ) as tf.Tensor2D;
      const weight = gaussian([inner, out], 2) as tf.Tensor2D;
      const bias = gaussian([out], 3);
      const norm = normOf(kind, inner);
      const more = residual ? { residual: gaussian([rows, out], 4) } : {};
      await poisonMemory([[rows, out]]);
      const actual = decodeLinear(x, weight, { norm, bias, activation, ...more });
      const expected = tf.tidy(() => {
        const y = activations[activation](tf.matMul(reference(x, norm), weight).add(bias));
        return more.residual ? y.add(more.residual) : y;
      });
      await expectClose(actual, expected, { ratio: 2e-5 });
    });
  }

  test('with a packed weight too, and a norm that is folded into it', async () => {
    const norm = normOf('layer', 70) as Norm & { kind: 'layer' };
    const [x, weight] = [gaussian([2, 70], 1) as tf.Tensor2D, gaussian([70, 33], 2) as tf.Tensor2D];
    const bias = gaussian([33], 3) as tf.Tensor1D;
    const expected = tf.matMul(reference(x, norm), weight).add(bias);
    const folded = foldNorm(norm, weight, bias);
    expect(folded.norm).toEqual({ kind: 'layer' });
    const plain = decodeLinear(x, folded.weight, { norm: folded.norm, bias: folded.bias });
    await expectClose(plain, expected, { ratio: 2e-5 });
    for (const format of ['f16', 'int8', 'int4'] as const) {
      const values = (await folded.weight.data()) as Float32Array;
      const packed = packWeight(values, [70, 33], format);
      const actual = decodeLinear(x, packed, { norm: folded.norm, bias: folded.bias });
      const unpacked = unpackWeight(packed);
      const same = decodeLinear(x, unpacked, { norm: folded.norm, bias: folded.bias });
      await expectClose(actual, same, { ratio: 2e-5 });
    }
  });

  test('shapes and rows that do not fit are refused', () => {
    const [x, weight] = [tf.zeros<tf.Rank.R2>([9, 4]), tf.zeros<tf.Rank.R2>([4, 4])];
    expect(() => decodeLinear(x, weight)).toThrow('decodeLinear: x has 9 rows; expected 1 to 8');
    expect(() => decodeLinear(tf.zeros([1, 5]), weight)).toThrow('expected [1, 4]');
  });
});

for (const [heads, headDim, maxLength] of [
  [2, 8, 7],
  [3, 40, 600],
  [1, 256, 5],
] as const) {
  test(`tokens through a cache equal attention over all, ${heads} heads of ${headDim}`, async () => {
    const dim = heads * headDim;
    const length = maxLength - 2;
    const x = gaussian([length, dim], 1) as tf.Tensor2D;
    const weight = tf.tidy(() => gaussian([dim, 3 * dim], 2).mul(0.2)) as tf.Tensor2D;
    const bias = gaussian([3 * dim], 3) as tf.Tensor1D;
    const norm = normOf('layer', dim);
    const [q, k, v] = tf
      .split(tf.matMul(reference(x, norm), weight).add(bias), 3, 1)
      .map((part) => part.reshape([length, heads, headDim]).transpose([1, 0, 2])); // [H, T, Dh]

    // All but the last two tokens are there already; what lies behind them must not be read.
    const known = length - 2;
    const before = (part: tf.Tensor) =>
      tf.concat(
        [
          part.slice([0, 0], [heads, known]),
          tf.fill([heads, maxLength - known, headDim], Number.NaN),
        ],
        1,
      );
    const cache = tf.stack([before(k!), before(v!)]) as tf.Tensor4D;
    for (let t = known; t < length; t++) {
      const row = x.slice([t, 0], [1, dim]) as tf.Tensor2D;
      const own = projectIntoCache(row, { norm, weight, bias, cache, position: int(t) });
      const actual = attendCached(own, cache, int(t));
      const scores = tf.matMul(
        q!.slice([0, t], [heads, 1]),
        k!.slice([0, 0], [heads, t + 1]),
        false,
        true,
      );
      const weights = tf.softmax(scores.div(Math.sqrt(headDim)));
      const expected = tf.matMul(weights, v!.slice([0, 0], [heads, t + 1]));
      await expectClose(actual, expected.reshape([1, dim]), { ratio: 2e-5 });
    }
  });
}

test('embedding and scores take a table in one piece or two', async () => {
  const table = gaussian([13, 24], 1) as tf.Tensor2D;
  const parts = tf.split(table, [5, 8]) as [tf.Tensor2D, tf.Tensor2D];
  const positions = gaussian([7, 24], 2) as tf.Tensor2D;
  const norm = normOf('layer', 24);
  for (const pieces of [[table], parts] as const) {
    for (const id of [0, 4, 5, 12]) {
      const x = embedToken(pieces, int(id), positions, int(3));
      const expected = tf.tidy(() =>
        table.slice([id, 0], [1, 24]).add(positions.slice([3, 0], [1, 24])),
      );
      await expectClose(x, expected);
      const scores = tokenScores(x, pieces, norm);
      await expectClose(scores, tf.matMul(reference(x, norm), table, false, true), { ratio: 2e-5 });
    }
  }
});

test('scores of rows that fit into the memory of a workgroup equal those of rows that do not', async () => {
  const [table, norm] = [gaussian([9, 700], 1) as tf.Tensor2D, normOf('layer', 700)];
  for (const rows of [1, 2, 3, 8]) {
    const x = gaussian([rows, 700], 2) as tf.Tensor2D;
    const expected = tf.matMul(reference(x, norm), table, false, true);
    await expectClose(tokenScores(x, [table], norm), expected, { ratio: 2e-5 });
  }
});
