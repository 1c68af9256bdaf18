import { describeBackends, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { packWeight } from '../packed-linear/pack.js';
import { unpackWeight } from '../packed-linear/unpack.js';
import { expertLinear, sumOfExperts } from './index.js';
import { expertLinearPacked } from './plain.js';
import { routeTokens } from './routing.js';

const sizes = [
  { tokens: 1, experts: 3, k: 2, inner: 5, out: 3 },
  { tokens: 40, experts: 6, k: 1, inner: 8, out: 4 },
  { tokens: 7, experts: 5, k: 2, inner: 13, out: 70 },
  { tokens: 150, experts: 4, k: 3, inner: 33, out: 9 },
];

describeBackends('experts', () => {
  test('each token goes to the best, equal scores to the lower number, and pairs are sorted by expert', async () => {
    const scores = tf.tensor2d([0.5, 2, 2, -1, 3, 3, 3, 3, -5, -7, -6, -8], [3, 4]);
    const { choices, order, places, offsets } = routeTokens(scores, 2);
    expect([...(await choices.data())]).toEqual([1, 2, 0, 1, 0, 2]);
    expect([...(await order.data())]).toEqual([2, 4, 0, 3, 1, 5]);
    expect([...(await places.data())]).toEqual([2, 4, 0, 3, 1, 5]);
    expect([...(await offsets.data())]).toEqual([0, 2, 4, 6, 6]);
    expect(() => routeTokens(scores, 5)).toThrow('k is 5; expected a whole number from 1 to 4');
  });

  for (const { tokens, experts, k, inner, out } of sizes) {
    test(`${tokens} tokens, ${k} of ${experts} experts, ${inner} × ${out}: values and gradients are those of all experts, masked`, async () => {
      const x = gaussian([tokens, inner], 1) as tf.Tensor2D;
      const weight = gaussian([experts * out, inner], 2) as tf.Tensor2D;
      const down = gaussian([experts * inner, out], 3) as tf.Tensor2D;
      const dy = gaussian([tokens, inner], 4);
      // The last expert has no token.
      const scores = tf.tidy(() => {
        const last = tf.oneHot(tf.tensor1d([experts - 1], 'int32'), experts).toFloat();
        return gaussian([tokens, experts], 5).sub(last.mul(100)) as tf.Tensor2D;
      });
      const ids = (await tf.topk(scores, k).indices.array()) as number[][];
      const routed = (a: tf.Tensor, w: tf.Tensor, v: tf.Tensor) => {
        const routing = routeTokens(scores, k);
        const hidden = expertLinear(a as tf.Tensor2D, w as tf.Tensor2D, routing, 'tokens');
        return sumOfExperts(
          expertLinear(hidden.square(), v as tf.Tensor2D, routing, 'pairs'),
          routing,
        );
      };
      const all = (a: tf.Tensor, w: tf.Tensor, v: tf.Tensor) => {
        const sums = Array.from({ length: experts }, (_, e) => {
          const own = tf.tensor2d(ids.map((row) => [Number(row.includes(e))]));
          const part = (of: tf.Tensor, size: number) => of.slice([e * size, 0], [size, -1]);
          const hidden = tf.matMul(a as tf.Tensor2D, part(w, out) as tf.Tensor2D, false, true);
          return tf.matMul(hidden.square(), part(v, inner) as tf.Tensor2D, false, true).mul(own);
        });
        return tf.addN(sums);
      };
      const [given, expected] = [routed, all].map((f) =>
        tf.valueAndGrads(f)([x, weight, down], dy),
      );
      await expectClose(given!.value, await expected!.value.data());
      for (const [i, gradient] of given!.grads.entries()) {
        await expectClose(gradient, await expected!.grads[i]!.data());
      }
    });
  }

  for (const format of ['f16', 'int8', 'int4'] as const) {
    for (const tokens of [6, 30])
      test(`weights packed in ${format} give what their values give, ${tokens} tokens`, async () => {
        const [experts, k, inner, out] = [3, 2, 40, 11];
        const x = gaussian([tokens, inner], 1) as tf.Tensor2D;
        const values = (await gaussian([experts * out, inner], 2).data()) as Float32Array;
        const weight = packWeight(values, [experts * out, inner], format, 'out-in');
        const routing = routeTokens(gaussian([tokens, experts], 3) as tf.Tensor2D, k);
        const plain = unpackWeight(weight).transpose<tf.Tensor2D>();
        const expected = await expertLinear(x, plain, routing, 'tokens').data();
        await expectClose(expertLinear(x, weight, routing, 'tokens'), expected);
        const loss = (a: tf.Tensor) => expertLinear(a as tf.Tensor2D, weight, routing, 'tokens');
        const same = (a: tf.Tensor) => expertLinear(a as tf.Tensor2D, plain, routing, 'tokens');
        const dy = gaussian([tokens * k, out], 4);
        await expectClose(tf.grad(loss)(x, dy), await tf.grad(same)(x, dy).data());
      });
  }

  test('of packed weights some columns of the experts that have rows are unpacked at a time', async () => {
    if (tf.getBackend() === 'webgpu') return;
    const [experts, k, inner, out, tokens] = [5, 1, 40, 13, 6];
    const x = gaussian([tokens, inner], 1) as tf.Tensor2D;
    const values = (await gaussian([experts * out, inner], 2).data()) as Float32Array;
    const weight = packWeight(values, [experts * out, inner], 'int4', 'out-in');
    // Two experts have no rows, one of them the last.
    const scores = tf.tensor2d(
      [0, 1, 3, 3, 0, 1].map((e) => Array.from({ length: experts }, (_, i) => Number(i === e))),
    );
    const routing = routeTokens(scores, k);
    const plain = unpackWeight(weight).transpose<tf.Tensor2D>();
    const dy = gaussian([tokens * k, out], 4);
    const whole = tf.valueAndGrad(
      (a: tf.Tensor): tf.Tensor => expertLinear(a as tf.Tensor2D, plain, routing, 'tokens'),
    )(x, dy);
    for (const most of [5 * inner, 2 ** 22]) {
      const { value, grad } = tf.valueAndGrad(
        (a: tf.Tensor): tf.Tensor =>
          expertLinearPacked(a as tf.Tensor2D, weight, routing, true, most),
      )(x, dy);
      await expectClose(value, whole.value);
      await expectClose(grad, whole.grad, { ratio: 2e-5 });
    }
  });

  test('refuses sizes that do not go together', () => {
    const routing = routeTokens(gaussian([4, 3], 1) as tf.Tensor2D, 2);
    const x = gaussian([4, 5], 2) as tf.Tensor2D;
    const refused = (weight: tf.Tensor) => () =>
      expertLinear(x, weight as tf.Tensor2D, routing, 'tokens');
    expect(refused(gaussian([7, 5], 3))).toThrow(
      'expertLinear: weight has shape [7, 5]; expected [9, 5]',
    );
    expect(refused(gaussian([6, 4], 3))).toThrow('expertLinear: weight has shape [6, 4]');
    expect(() => sumOfExperts(gaussian([7, 5], 1) as tf.Tensor2D, routing)).toThrow('[8, D]');
  });
});
