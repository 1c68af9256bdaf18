import {
  describeBackends,
  expectClose,
  expectNoLeak,
  gaussian,
  outputAndGradients,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { besideShapes, both, expectBeside } from '../row-norm/beside.cases.js';
import { addLayerNorm, besideLayerNorm } from './index.js';
import { layerNormReference } from './reference.js';

const fused = (x?: tf.Tensor, a?: tf.Tensor, w?: tf.Tensor, b?: tf.Tensor) =>
  tf.tidy(() => both(addLayerNorm(x!, a!, w!, b!)));
const reference = (x?: tf.Tensor, a?: tf.Tensor, w?: tf.Tensor, b?: tf.Tensor) =>
  tf.tidy(() => {
    const sum = x!.add(a!);
    return both({ sum, y: layerNormReference(sum, w!, b!, 1e-5) });
  });

describeBackends('addLayerNorm', () => {
  for (const width of [1, 3, 63, 64, 65, 127, 513]) {
    test(`addLayerNorm of rows of ${width} equals the reference with every gradient`, async () => {
      for (const rows of [1, 5, 67]) {
        const [x, added] = [gaussian([rows, width], 1).add(2), gaussian([rows, width], 2)];
        const inputs = [x, added, gaussian([width], 3), gaussian([width], 4)];
        const expected = outputAndGradients(reference, inputs);
        await poisonMemory([[rows, width], [rows, 2], [rows], [width], [3, width]]);
        const actual = outputAndGradients(fused, inputs);
        await expectClose(actual.output, expected.output);
        // A row of one value has an almost constant output: its gradient is small and rounded.
        const floor = width === 1 ? 1e-4 : 1e-6;
        for (const [i, gradient] of actual.gradients.entries()) {
          await expectClose(gradient, expected.gradients[i]!, { ratio: 2e-5, floor });
        }
      }
    });
  }

  test('addLayerNorm gives the same bits twice, leaves nothing behind and refuses other shapes', async () => {
    const width = 33;
    const inputs = [
      gaussian([2, 100, width], 1),
      gaussian([2, 100, width], 2),
      gaussian([width], 3),
      gaussian([width], 4),
    ];
    const run = () => outputAndGradients(fused, inputs);
    const [first, second] = [run(), run()];
    for (const [i, gradient] of first.gradients.entries()) {
      expect(await gradient.data()).toEqual(await second.gradients[i]!.data());
    }
    await expectNoLeak(() => {
      const { output, gradients } = run();
      tf.dispose([output, gradients]);
    });
    expect(() =>
      addLayerNorm(tf.zeros([2, 3]), tf.zeros([3]), tf.zeros([3]), tf.zeros([3])),
    ).toThrow('addLayerNorm: added has shape [3]; expected [2, 3]');
  });
});

describeBackends('besideLayerNorm', () => {
  for (const [rows, width] of besideShapes) {
    test(`of [${rows}, ${width}] gives x and its norm, and the sum of both gradients, the same bits twice`, async () => {
      const reference = (x?: tf.Tensor, w?: tf.Tensor, b?: tf.Tensor) =>
        tf.tidy(() => both({ sum: x!, y: layerNormReference(x!, w!, b!, 1e-5) }));
      const beside = (x?: tf.Tensor, w?: tf.Tensor, b?: tf.Tensor) =>
        tf.tidy(() => both(besideLayerNorm(x!, w!, b!)));
      const x = gaussian([rows, width], 1).add(2);
      await expectBeside(beside, reference, [x, gaussian([width], 3), gaussian([width], 4)]);
    });
  }
});
