import { expectClose, expectNoLeak, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { packedLinear } from './index.js';
import { packWeight } from './pack.js';
import { unpackWeight } from './unpack.js';

test('packedLinear is one dispatch, and leaves no tensor behind', async () => {
  const values = (await gaussian([64, 40], 1).data()) as Float32Array;
  const packed = packWeight(values, [64, 40], 'int8');
  const [x, bias] = [gaussian([1, 64], 2), gaussian([40], 3) as tf.Tensor1D];
  await expectNoLeak(() => packedLinear(x, packed, bias, 'silu').dispose());
  const backend = tf.backend() as unknown as { dispatchCountInPass: number };
  // Reading submits what is pending, and the count starts anew.
  await tf.add(x, 1).data();
  const y = packedLinear(x, packed, bias, 'silu');
  expect(backend.dispatchCountInPass).toBe(1);
  const sum = tf.tidy(() => tf.matMul(x as tf.Tensor2D, unpackWeight(packed)).add(bias));
  await expectClose(y, tf.mul(sum, tf.sigmoid(sum)));
});
