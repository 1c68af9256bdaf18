import { expectClose, gaussian, outputAndGradients } from '@headwise/testing';
import type * as tf from '@tensorflow/tfjs';
import { test } from 'vitest';
import { packWeight } from './pack.js';
import { packedLinearPlain } from './plain.js';

test('a weight is unpacked some columns at a time where there is no kernel', async () => {
  const values = (await gaussian([19, 13], 1).data()) as Float32Array;
  const packed = packWeight(values, [19, 13], 'int4');
  const [x, bias] = [gaussian([2, 19], 2), gaussian([13], 3) as tf.Tensor1D];
  const of = (most: number) =>
    outputAndGradients(
      (x, b) => packedLinearPlain(x!, packed, b as tf.Tensor1D, 'gelu', most),
      [x, bias],
    );
  const [actual, expected] = [of(3 * 19), of(13 * 19)];
  await expectClose(actual.output, expected.output);
  for (const [i, g] of actual.gradients.entries()) {
    await expectClose(g, expected.gradients[i]!, { ratio: 2e-5 });
  }
});
