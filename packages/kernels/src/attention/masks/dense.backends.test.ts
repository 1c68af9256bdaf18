import { cases, describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { test } from 'vitest';
import golden from '../../goldens/attention-bias.json' with { type: 'json' };
import { attention } from '../index.js';
import { dense } from './dense.js';

describeBackends('attention with a dense bias', (backend) => {
  // One bias for all batch rows and heads, whose gradient is summed over them.
  const few = (i: number) => backend !== 'webgpu' || i === 3;
  for (const c of cases(golden.cases, (_, i) => few(i))) {
    test(`[${c.bias.shape}] gives PyTorch's output and every gradient`, async () => {
      const inputs = [c.q, c.k, c.v, c.bias].map(({ shape, data }) => tf.tensor(data, shape));
      const run = (...[q, k, v, bias]: tf.Tensor[]) =>
        attention(q!, k!, v!, { mask: dense(bias!) });
      await expectClose(run(...inputs), c.y);
      const gradients = tf.grads(run)(inputs, tf.tensor(c.dy, [2, 3, 5, 13]));
      for (const [i, expected] of [c.dq, c.dk, c.dv, c.dbias].entries()) {
        await expectClose(gradients[i]!, expected, { floor: 1e-6 });
      }
    });
  }
});
