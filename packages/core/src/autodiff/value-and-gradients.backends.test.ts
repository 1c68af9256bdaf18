import { describeBackends, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { valueAndGradients } from './value-and-gradients.js';

const variables = () => [1, 2, 3].map((seed) => tf.tidy(() => tf.variable(gaussian([4, 4], seed))));

/** Products, sums of one tensor with itself, shapes, splits, a custom gradient, and a result that is dropped. */
const function_ = ([a, b, c]: tf.Variable[]): tf.Scalar => {
  const doubled = tf.customGrad((x) => ({
    value: (x as tf.Tensor).mul(2),
    gradFunc: (dy: tf.Tensor) => dy,
  }));
  const product = tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, false, true);
  const [left, right] = tf.split(doubled(product.add(product)), 2, 1);
  tf.exp(product);
  const joined = tf
    .concat([left!, right!.mul(left!)], 1)
    .add(c!.square())
    .add(a!);
  return tf.logSumExp(joined.transpose().reshape([16])) as tf.Scalar;
};

describeBackends('the gradients of a value', () => {
  test('are those of TensorFlow.js, and leave nothing behind', async () => {
    const all = variables();
    const before = tf.memory().numTensors;
    const { value, gradients } = valueAndGradients(() => function_(all), all);
    expect(tf.memory().numTensors).toBe(before + 4);
    const expected = tf.variableGrads(() => function_(all), all);
    await expectClose(value, expected.value);
    for (const [i, variable] of all.entries()) {
      await expectClose(gradients[i]!, expected.grads[variable.name]!, { ratio: 1e-5 });
    }
    tf.dispose([value, gradients, expected.value, expected.grads, all]);
  });

  test('are undefined where the value does not depend on a variable', () => {
    const all = variables();
    const { value, gradients } = valueAndGradients(() => all[0]!.square().sum() as tf.Scalar, all);
    expect(gradients.map((gradient) => gradient?.shape)).toEqual([[4, 4], undefined, undefined]);
    tf.dispose([value, gradients[0]!, all]);
  });

  test('are computed with the memory of the results that are still needed', () => {
    const [a] = variables();
    const layers = 20;
    const largest = (run: (f: () => tf.Scalar) => void) => {
      let most = 0;
      const watch = tf.customGrad((x) => ({
        value: (x as tf.Tensor).clone(),
        gradFunc: (dy: tf.Tensor) => {
          most = Math.max(most, tf.memory().numTensors);
          return dy.clone();
        },
      }));
      const start = tf.memory().numTensors;
      run(() => {
        let x: tf.Tensor = a!;
        for (let i = 0; i < layers; i++) x = watch(tf.sin(x));
        return x.sum() as tf.Scalar;
      });
      return most - start;
    };
    const ours = largest((f) => tf.dispose(Object.values(valueAndGradients(f, [a!]))));
    const stock = largest((f) => tf.dispose(Object.values(tf.variableGrads(f, [a!]))));
    expect(stock - ours).toBeGreaterThan(layers);
    a!.dispose();
  });

  test('keep nothing of operations that do not depend on the variables', () => {
    const [frozen, trained] = variables();
    const held: number[] = [];
    const run = (wanted: tf.Variable[]) => {
      const start = tf.memory().numTensors;
      const made = valueAndGradients(() => {
        let x = tf.tidy(() => {
          let y: tf.Tensor = frozen!;
          for (let i = 0; i < 20; i++) y = tf.sin(y);
          return y;
        });
        held.push(tf.memory().numTensors - start);
        for (let i = 0; i < 3; i++) x = x.matMul(trained!);
        return x.sum() as tf.Scalar;
      }, wanted);
      tf.dispose(Object.values(made));
    };
    run([frozen!, trained!]);
    run([trained!]);
    expect(held[0]! - held[1]!).toBeGreaterThanOrEqual(19);
    expect(held[1]).toBeLessThan(4);
    tf.dispose([frozen!, trained!]);
  });

  test('keep nothing of what is added, reshaped, joined, cut and summed', async () => {
    const all = variables();
    const [a, b] = all as [tf.Variable, tf.Variable];
    const rows = (x: tf.Tensor) => x.reshape([16]).expandDims(0);
    const stack = () => {
      let x: tf.Tensor = a.sub(b);
      for (let i = 0; i < 5; i++) {
        const [wide, deep] = [tf.concat([rows(x), rows(b)], 1), tf.stack([x, b])];
        const cut = wide.slice([0, i], [1, 16]).reshape([4, 4]);
        x = tf.addN([
          cut,
          deep.mean(0),
          x.add(x.sum(0)),
          x
            .pad([
              [0, 1],
              [0, 0],
            ])
            .slice([1, 0]),
        ]);
      }
      return x.sum() as tf.Scalar;
    };
    let held = 0;
    const start = tf.memory().numDataBuffers;
    const { value, gradients } = valueAndGradients(() => {
      const result = tf.tidy(stack);
      held = tf.memory().numDataBuffers - start;
      return result;
    }, all);
    // The result alone.
    expect(held).toBe(1);
    const expected = tf.variableGrads(stack, [a, b]);
    await expectClose(value, expected.value);
    for (const [i, variable] of [a, b].entries()) {
      await expectClose(gradients[i]!, expected.grads[variable.name]!, { ratio: 1e-6 });
    }
    expect(gradients[2]).toBeUndefined();
    tf.dispose([value, gradients.slice(0, 2) as tf.Tensor[], expected.value, expected.grads, all]);
  });

  test('an error in either pass leaves nothing behind', () => {
    const all = variables();
    const before = tf.memory().numTensors;
    const broken = tf.customGrad((x) => ({
      value: (x as tf.Tensor).clone(),
      gradFunc: () => {
        throw new Error('no gradient today');
      },
    }));
    const backward = () =>
      valueAndGradients(() => function_(all.map((x) => broken(x)) as never), all);
    expect(backward).toThrow('no gradient today');
    const forward = () =>
      valueAndGradients(() => {
        function_(all);
        throw new Error('no value today');
      }, all);
    expect(forward).toThrow('no value today');
    expect(tf.memory().numTensors).toBe(before);
    expect(() =>
      valueAndGradients(() => tf.topk(all[0]!, 1).values.sum() as tf.Scalar, all),
    ).toThrow("'TopK' has no gradient");
    tf.dispose(all);
    expect(tf.memory().numTensors).toBe(before - 3);
  });
});
