import { cases, expectClose, expectNoLeak, gaussian, outputAndGradients } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { scoreTable } from './expression/table.js';
import { attention } from './index.js';
import { and, type Mask, none } from './masks/mask.js';
import { causal } from './masks/order.js';
import { padding } from './masks/tokens.js';
import { scoreMod } from './mods.js';
import { attentionReference } from './reference.js';
import { forceTiling, tilingsOf } from './tilings.js';

const backend = tf.backend() as WebGPUBackend;
const tilings = tilingsOf(backend, { key: 64, value: 64 }).map(({ key }) => key);
afterEach(() => forceTiling(undefined));

/** Output and gradients of one head in float64, from the definition. */
function exact(
  [q, k, v, dy]: Float32Array[],
  { queries, keys, width, scale }: Record<'queries' | 'keys' | 'width' | 'scale', number>,
  mask: Mask,
): Float64Array[] {
  const [y, dq, dk, dv] = [queries, queries, keys, keys].map((n) => new Float64Array(n * width));
  const dot = (a: Float32Array, i: number, b: Float32Array, j: number) => {
    let sum = 0;
    for (let c = 0; c < width; c++) sum += a[i * width + c]! * b[j * width + c]!;
    return sum;
  };
  for (let i = 0; i < queries; i++) {
    const end = mask === causal ? i + 1 + keys - queries : keys;
    const scores = Array.from({ length: end }, (_, j) => dot(q!, i, k!, j) * scale);
    const largest = Math.max(...scores);
    const total = scores.reduce((s, x) => s + Math.exp(x - largest), 0);
    const p = scores.map((x) => Math.exp(x - largest) / total);
    const dp = scores.map((_, j) => dot(dy!, i, v!, j));
    const delta = p.reduce((s, w, j) => s + w * dp[j]!, 0);
    for (const [j, w] of p.entries()) {
      const ds = w * (dp[j]! - delta) * scale;
      for (let c = 0; c < width; c++) {
        y![i * width + c]! += w * v![j * width + c]!;
        dq![i * width + c]! += ds * k![j * width + c]!;
        dk![j * width + c]! += ds * q![i * width + c]!;
        dv![j * width + c]! += w * dy![i * width + c]!;
      }
    }
  }
  return [y!, dq!, dk!, dv!];
}

const rms = (values: ArrayLike<number>, expected: Float64Array) =>
  Math.sqrt(expected.reduce((s, e, i) => s + (values[i]! - e) ** 2, 0) / expected.length);

// The direct tiling is the shuffled one but for its reads.
describe.each(cases(tilings, (key) => key !== 'direct'))('attention in tiling %s', (key) => {
  for (const [name, size] of [
    ['ordinary scores', 1],
    ['scores of ±10,000', 100],
  ] as const) {
    test(`is as near to float64 as the plain path: ${name}`, async () => {
      const shape = { queries: 65, keys: 127, width: 64, scale: 0.125 };
      const { queries, keys, width, scale } = shape;
      const inputs = [
        gaussian([1, 1, queries, width], 1).mul(size),
        gaussian([1, 1, keys, width], 2).mul(size),
        gaussian([1, 1, keys, width], 3),
      ];
      const dy = gaussian([1, 1, queries, width], 12345);
      const data = await Promise.all([...inputs, dy].map((x) => x.data() as Promise<Float32Array>));
      for (const mask of [none, causal]) {
        const expected = exact(data, shape, mask);
        const errors = async (f: (...inputs: tf.Tensor[]) => tf.Tensor) => {
          const { output, gradients } = outputAndGradients(f, inputs);
          const values = await Promise.all([output, ...gradients].map((x) => x.data()));
          return values.map((x, i) => rms(x, expected[i]!));
        };
        forceTiling(undefined);
        const plain = await errors((q, k, v) => attentionReference(q!, k!, v!, { mask, scale }));
        forceTiling(key);
        const fused = await errors((q, k, v) => attention(q!, k!, v!, { mask }));
        for (const [i, error] of fused.entries()) {
          expect(error, ['y', 'dq', 'dk', 'dv'][i]).toBeLessThanOrEqual(2 * plain[i]! + 1e-9);
        }
      }
    });
  }

  test('a query that sees no key gives zeros and takes none', async () => {
    forceTiling(key);
    // Causal with more queries than keys hides all keys from the first ones; one sequence is empty.
    const inputs = [
      gaussian([2, 2, 37, 64], 1),
      gaussian([2, 2, 5, 64], 2),
      gaussian([2, 2, 5, 64], 3),
    ];
    const lengths = tf.tensor1d([5, 0], 'int32');
    const { output, gradients } = outputAndGradients(
      (q, k, v) => attention(q!, k!, v!, { mask: and(causal, padding(lengths)) }),
      inputs,
    );
    const [dq, dk, dv] = gradients;
    const rows = (x: tf.Tensor) => x.slice([0, 0, 0, 0], [1, 2, 32, 64]);
    const empty = (x: tf.Tensor) => x.slice([1], [1]);
    for (const zeros of [output, dq!].map(rows).concat([output, dq!, dk!, dv!].map(empty))) {
      expect(Math.max(...(await zeros.abs().data()))).toBe(0);
    }
    const reference = outputAndGradients(
      (q, k, v) =>
        attentionReference(q!, k!, v!, { mask: and(causal, padding(lengths)), scale: 0.125 }),
      inputs,
    );
    await expectClose(output, reference.output);
    for (const [i, gradient] of gradients.entries()) {
      await expectClose(gradient, reference.gradients[i]!, { floor: 1e-6 });
    }
  });

  test('what lies in padding is never used', async () => {
    forceTiling(key);
    const q = gaussian([1, 1, 3, 64], 1);
    const kept = [gaussian([1, 1, 35, 64], 2), gaussian([1, 1, 35, 64], 3)];
    const padded = kept.map((x) => tf.concat([x, tf.fill([1, 1, 30, 64], Number.NaN)], 2));
    const lengths = tf.tensor1d([35], 'int32');
    const actual = outputAndGradients(
      // Each query stands behind all tokens, so that causal hides none; its programs are those of the test above.
      (q, k, v) => attention(q!, k!, v!, { mask: and(causal, padding(lengths)) }),
      [q, ...padded],
    );
    const expected = outputAndGradients((q, k, v) => attention(q!, k!, v!), [q, ...kept]);
    await expectClose(actual.output, expected.output);
    for (const [i, gradient] of actual.gradients.entries()) {
      const [rows, rest] = [expected.gradients[i]!.shape[2]!, gradient.shape[2]!];
      await expectClose(gradient.slice([0, 0, 0, 0], [1, 1, rows, 64]), expected.gradients[i]!);
      const padding = gradient.slice([0, 0, rows, 0], [1, 1, rest - rows, 64]);
      expect([...(await padding.data())].every((x) => x === 0)).toBe(true);
    }
  });

  test('NaN in one sequence stays there', async () => {
    forceTiling(key);
    const clean = [1, 2, 3].map((seed) => gaussian([1, 2, 37, 64], seed));
    const inputs = clean.map((x) => tf.concat([x, tf.fill(x.shape, Number.NaN)]));
    const run = (q?: tf.Tensor, k?: tf.Tensor, v?: tf.Tensor) =>
      attention(q!, k!, v!, { mask: causal });
    const cotangent = gaussian([2, 2, 37, 64], 4);
    const expected = [run(...clean), ...tf.grads(run)(clean, cotangent.slice([0], [1]))];
    const actual = [run(...inputs), ...tf.grads(run)(inputs, cotangent)];
    for (const [i, value] of actual.entries()) {
      await expectClose(value.slice([0], [1]), expected[i]!);
      expect(Number.isNaN((await value.slice([1], [1]).data())[0])).toBe(true);
    }
  });

  test('gives the same bits twice and leaves no tensor behind', async () => {
    forceTiling(key);
    const inputs = [
      gaussian([1, 4, 70, 64], 1),
      gaussian([1, 2, 70, 64], 2),
      gaussian([1, 2, 70, 64], 3),
    ];
    const biases = gaussian([4, 139], 4);
    const relative = (biases: tf.Tensor) =>
      scoreMod((score, _b, h, q, k) => score.add(scoreTable(biases).at(h, k.sub(q).add(69))));
    // Programs with a table are compiled for one tiling; gradients of tables have one of their own.
    const scored = inject('full') || key === tilings[0];
    const run = () =>
      outputAndGradients(
        (q, k, v, biases) =>
          attention(q!, k!, v!, { mask: causal, mods: scored ? [relative(biases!)] : [] }),
        [...inputs, ...(scored ? [biases] : [])],
      );
    const [first, second] = [run(), run()];
    expect(await first.output.data()).toEqual(await second.output.data());
    for (const [i, gradient] of first.gradients.entries()) {
      expect(await gradient.data()).toEqual(await second.gradients[i]!.data());
    }
    await expectNoLeak(() => {
      const { output, gradients } = run();
      tf.dispose([output, ...gradients]);
    });
  });
});
