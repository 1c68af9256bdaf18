import { cases, expectClose, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { layerNormReference } from '../layer-norm/reference.js';
import { activations } from '../linear/activation.js';
import { packWeight } from '../packed-linear/pack.js';
import { unpackWeight } from '../packed-linear/unpack.js';
import { rmsNormReference } from '../rms-norm/reference.js';
import { embedToken } from './embed.js';
import { normalizeHeads } from './head-norm.js';
import { decodeGatedLinear, decodeLinear } from './linear.js';
import type { Norm } from './normalized.js';
import { type DecodeWeight, foldNorm } from './weight.js';

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

const forms = ['in-out', 'out-in', 'f16', 'int8', 'int4'] as const;

/** A weight in some form, and its values `[In, Out]`. */
async function weightOf(
  shape: [number, number],
  form: (typeof forms)[number],
  seed: number,
): Promise<{ weight: DecodeWeight; values: tf.Tensor2D }> {
  const values = gaussian(shape, seed) as tf.Tensor2D;
  if (form === 'in-out') return { weight: { values, layout: form }, values };
  if (form === 'out-in') return { weight: { values: tf.transpose(values), layout: form }, values };
  const weight = packWeight((await values.data()) as Float32Array, shape, form);
  return { weight, values: unpackWeight(weight) };
}

const products = [
  [1, 1, 1, 'none', 'none', false, 'in-out'],
  [1, 64, 192, 'layer', 'none', false, 'in-out'],
  [1, 65, 127, 'rms', 'silu', true, 'in-out'],
  [3, 63, 65, 'layer', 'gelu_new', true, 'in-out'],
  [8, 40, 513, 'layer', 'none', true, 'in-out'],
  [1, 64, 192, 'rms', 'none', true, 'out-in'],
  [3, 63, 65, 'layer', 'relu', false, 'out-in'],
  [2, 700, 9, 'layer', 'none', false, 'out-in'],
  [1, 2100, 9, 'rms', 'none', false, 'out-in'],
  [2, 70, 33, 'layer', 'none', true, 'f16'],
  [1, 70, 33, 'rms', 'none', true, 'int8'],
  [1, 96, 33, 'none', 'gelu', false, 'int4'],
] as const;

describe('decodeLinear equals norm, product, bias, activation and residual one by one', () => {
  for (const [rows, inner, out, kind, activation, residual, form] of cases(products, (_, i) =>
    [2, 4, 6, 8, 10].includes(i),
  )) {
    test(`${rows} × ${inner} × ${out}, ${form}, norm ${kind}, ${activation}`, async () => {
      // A large offset must not cost digits.
      const x = tf.tidy(() =>
        gaussian([rows, inner], 1).add(kind === 'layer' ? 100 : 0),
      ) as tf.Tensor2D;
      const { weight, values } = await weightOf([inner, out], form, 2);
      const bias = gaussian([out], 3);
      const norm = normOf(kind, inner);
      const more = residual ? { residual: gaussian([rows, out], 4) } : {};
      await poisonMemory([[rows, out]]);
      const actual = decodeLinear(x, weight, { norm, bias, activation, ...more });
      const expected = tf.tidy(() => {
        const y = activations[activation](tf.matMul(reference(x, norm), values).add(bias));
        return more.residual ? y.add(more.residual) : y;
      });
      await expectClose(actual, expected, { ratio: 2e-5 });
    });
  }

  for (const form of cases(forms, (form) => form === 'out-in' || form === 'int8')) {
    for (const widths of cases(
      [
        [24, 8, 8],
        [7, 5],
      ],
      (_, i) => i === 0,
    )) {
      test(`several weights side by side, ${form}, of ${widths.join(' + ')} columns`, async () => {
        const x = gaussian([1, 64], 1) as tf.Tensor2D;
        const norm = normOf('layer', 64);
        const total = widths.reduce((sum, width) => sum + width, 0);
        const [bias, residual] = [gaussian([total], 3), gaussian([1, total], 4)];
        const parts = await Promise.all(widths.map((out, i) => weightOf([64, out], form, 5 + i)));
        const values = tf.concat(
          parts.map((part) => part.values),
          1,
        );
        await poisonMemory([[1, total]]);
        const weights = parts.map(({ weight }) => weight);
        const actual = decodeLinear(x, weights, { norm, bias, residual });
        const expected = tf.matMul(reference(x, norm), values).add(bias).add(residual);
        await expectClose(actual, expected, { ratio: 2e-5 });
      });
    }

    test(`a gate and what it gates, ${form}`, async () => {
      for (const [inner, out] of [
        [64, 40],
        [66, 35],
      ] as const) {
        const x = gaussian([1, inner], 1) as tf.Tensor2D;
        const norm = normOf('rms', inner);
        const bias = gaussian([2 * out], 3);
        const gate = await weightOf([inner, out], form, 5);
        const up = await weightOf([inner, out], form, 6);
        const options = { norm, bias, activation: 'silu' } as const;
        const actual = decodeGatedLinear(x, gate.weight, up.weight, options);
        const expected = tf.tidy(() => {
          const n = reference(x, norm);
          const [g, u] = bias.split(2);
          const gated = activations.silu(tf.matMul(n, gate.values).add(g!));
          return gated.mul(tf.matMul(n, up.values).add(u!));
        });
        await expectClose(actual, expected, { ratio: 3e-5 });
      }
    });
  }

  // As files of mixed types have them; widths that eight lanes and four columns do not divide.
  for (const [kind, widths] of cases(
    [
      ['layer', [24, 8, 12, 9]],
      ['none', [7, 5, 3, 6]],
    ] as const,
    (_, i) => i === 0,
  )) {
    test(`weights of several forms side by side, norm ${kind}`, async () => {
      const x = gaussian([2, 64], 1) as tf.Tensor2D;
      const norm = normOf(kind, 64);
      const total = widths.reduce((sum, width) => sum + width, 0);
      const [bias, residual] = [gaussian([total], 3), gaussian([2, total], 4)];
      const kinds = ['int8', 'int8', 'int4', 'out-in'] as const;
      const parts = await Promise.all(
        widths.map((out, i) => weightOf([64, out], kinds[i]!, 5 + i)),
      );
      const values = tf.concat(
        parts.map((part) => part.values),
        1,
      );
      await poisonMemory([[2, total]]);
      const weights = parts.map(({ weight }) => weight);
      const actual = decodeLinear(x, weights, { norm, bias, residual, activation: 'relu' });
      const expected = tf.matMul(reference(x, norm), values).add(bias).relu().add(residual);
      await expectClose(actual, expected, { ratio: 2e-5 });
    });
  }

  test('a gate of one form and what it gates of another', async () => {
    const x = gaussian([2, 64], 1) as tf.Tensor2D;
    const norm = normOf('rms', 64);
    const gate = await weightOf([64, 35], 'int4', 5);
    const up = await weightOf([64, 35], 'int8', 6);
    for (const more of [{}, { bias: gaussian([70], 3), residual: gaussian([2, 35], 4) }]) {
      const before = tf.memory().numTensors;
      const actual = decodeGatedLinear(x, gate.weight, up.weight, {
        norm,
        activation: 'silu',
        ...more,
      });
      expect(tf.memory().numTensors).toBe(before + 1);
      const expected = tf.tidy(() => {
        const n = reference(x, norm);
        const [g, u] = ('bias' in more ? more.bias : tf.zeros([70])).split(2);
        const gates = activations.silu(tf.matMul(n, gate.values).add(g!));
        const y = gates.mul(tf.matMul(n, up.values).add(u!));
        return 'residual' in more ? y.add(more.residual) : y;
      });
      await expectClose(actual, expected, { ratio: 3e-5 });
    }
    const narrow = { values: tf.zeros<tf.Rank.R2>([64, 5]), layout: 'in-out' } as const;
    expect(() => decodeGatedLinear(x, gate.weight, narrow)).toThrow('decodeGatedLinear: weight 1');
  });

  test('a norm that is folded into the weight gives the same', async () => {
    const norm = normOf('layer', 70) as Norm & { kind: 'layer' };
    const [x, values] = [gaussian([2, 70], 1) as tf.Tensor2D, gaussian([70, 33], 2) as tf.Tensor2D];
    const bias = gaussian([33], 3) as tf.Tensor1D;
    const expected = tf.matMul(reference(x, norm), values).add(bias);
    const folded = foldNorm(norm, values, bias);
    expect(folded.norm).toEqual({ kind: 'layer' });
    const weight = { values: folded.weight, layout: 'in-out' } as const;
    const plain = decodeLinear(x, weight, { norm: folded.norm, bias: folded.bias });
    await expectClose(plain, expected, { ratio: 2e-5 });
  });

  test('shapes, rows and weights that do not fit are refused', async () => {
    const values = tf.zeros<tf.Rank.R2>([4, 4]);
    const weight = { values, layout: 'in-out' } as const;
    expect(() => decodeLinear(tf.zeros([9, 4]), weight)).toThrow(
      'decodeLinear: x has 9 rows; expected 1 to 8',
    );
    expect(() => decodeLinear(tf.zeros([1, 5]), weight)).toThrow('expected [1, 4]');
    expect(() =>
      decodeGatedLinear(tf.zeros([1, 4]), weight, { values: tf.zeros([4, 5]), layout: 'in-out' }),
    ).toThrow('decodeGatedLinear: weight 1');
  });
});

describe('embedToken', () => {
  const positions = gaussian([7, 24], 2) as tf.Tensor2D;
  const at = (...ids: number[]) =>
    tf.tensor2d(
      ids.map((id, n) => [3 + n, id, 0, 0]),
      [ids.length, 4],
      'int32',
    );

  test('reads a table in one piece or two', async () => {
    const table = gaussian([13, 24], 1) as tf.Tensor2D;
    const pieces = tf.split(table, [5, 8]) as [tf.Tensor2D, tf.Tensor2D];
    for (const parts of [[table], pieces]) {
      for (const ids of [[0], [4, 5], [12, 3, 0, 11]]) {
        const weights = parts.map((values) => ({ values, layout: 'out-in' }) as const);
        const x = embedToken(weights, at(...ids), { scale: 2, positions });
        const expected = tf.tidy(() =>
          table
            .gather(tf.tensor1d(ids, 'int32'))
            .mul(2)
            .add(positions.slice([3, 0], [ids.length, 24])),
        );
        await expectClose(x, expected);
      }
    }
  });

  test('reads packed tables', async () => {
    const values = gaussian([13, 64], 1);
    for (const format of ['f16', 'int8', 'int4'] as const) {
      const data = (await values.data()) as Float32Array;
      const packed = packWeight(data, [13, 64], format, 'out-in');
      const x = embedToken([packed], at(11));
      const expected = unpackWeight(packed).slice([0, 11], [64, 1]).reshape([1, 64]);
      await expectClose(x, expected);
    }
  });
});

for (const kind of ['layer', 'rms'] as const) {
  test(`normalizeHeads by ${kind} normalises queries and keys of each head, and leaves values`, async () => {
    const sizes = { heads: 4, kvHeads: 2, headDim: 67 };
    const qkv = gaussian([3, 8 * 67], 1) as tf.Tensor2D;
    const q = normOf(kind, 67);
    const k = { ...normOf(kind, 67), weight: gaussian([67], 9) } as Norm;
    const whole = qkv.reshape([3, 8, 67]);
    const parts = [
      reference(whole.slice([0, 0, 0], [3, 4, 67]), q),
      reference(whole.slice([0, 4, 0], [3, 2, 67]), k),
    ];
    const expected = tf
      .concat([...parts, whole.slice([0, 6, 0], [3, 2, 67])], 1)
      .reshape([3, 8 * 67]);
    await poisonMemory([[3, 8 * 67]]);
    await expectClose(normalizeHeads(qkv, sizes, { q, k }), expected, { ratio: 2e-5 });
    expect(() => normalizeHeads(qkv, sizes, { q, k: { kind: 'none' } })).toThrow(
      'expected the same',
    );
  });
}

for (const kind of ['layer', 'rms'] as const) {
  test(`normalizeHeads by ${kind} normalises all queries and all keys of a token, and leaves values`, async () => {
    const sizes = { heads: 4, kvHeads: 2, headDim: 67, across: true };
    const [ofQueries, ofKeys, all] = [4 * 67, 2 * 67, 8 * 67];
    // Far from zero, and keys of another size than queries: what is read beyond its own part is seen.
    const scales = tf.concat([tf.fill([ofQueries], 3), tf.fill([ofKeys], 0.1), tf.ones([ofKeys])]);
    const qkv = gaussian([3, all], 1).add(100).mul<tf.Tensor2D>(scales);
    const q = normOf(kind, ofQueries);
    const k = { ...normOf(kind, ofKeys), weight: gaussian([ofKeys], 9) } as Norm;
    const expected = tf.concat(
      [
        reference(qkv.slice([0, 0], [3, ofQueries]), q),
        reference(qkv.slice([0, ofQueries], [3, ofKeys]), k),
        qkv.slice([0, ofQueries + ofKeys], [3, ofKeys]),
      ],
      1,
    );
    await poisonMemory([[3, all]]);
    const normalized = normalizeHeads(qkv, sizes, { q, k });
    await expectClose(normalized, expected, { ratio: kind === 'layer' ? 1e-4 : 2e-5 });
    const again = normalizeHeads(qkv, sizes, { q, k });
    expect(await again.data()).toEqual(await normalized.data());
    expect(() => normalizeHeads(qkv, sizes, { q, k: normOf(kind, 67) })).toThrow('expected [134]');
  });
}
