import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { test } from 'vitest';
import { sparseCrossEntropy } from './cross-entropy/index.js';
import { gelu, geluTanh } from './gelu/index.js';
import crossEntropies from './goldens/cross-entropy.json' with { type: 'json' };
import gelus from './goldens/gelu.json' with { type: 'json' };
import norms from './goldens/norms.json' with { type: 'json' };
import { layerNorm } from './layer-norm/index.js';
import { rmsNorm } from './rms-norm/index.js';

describeBackends('PyTorch', () => {
  for (const c of norms.cases) {
    test(`${c.op} [${c.shape}]: output and every gradient`, async () => {
      const width = c.shape.at(-1)!;
      const [x, weight] = [tf.tensor(c.x, c.shape), tf.tensor(c.weight, [width])];
      const inputs = c.bias ? [x, weight, tf.tensor(c.bias, [width])] : [x, weight];
      const norm = (x: tf.Tensor, w: tf.Tensor, b?: tf.Tensor) =>
        b ? layerNorm(x, w, b, c.eps) : rmsNorm(x, w, c.eps);
      await expectClose(norm(x, weight, inputs[2]), c.y);
      const [dx, dweight, dbias] = tf.grads((x, w, b) => norm(x!, w!, b))(
        inputs,
        tf.tensor(c.dy, c.shape),
      );
      // A row of one value: its gradient is zero but for rounding.
      const floor = width === 1 ? 2e-5 : 1e-6;
      await expectClose(dx!, c.dx, { floor });
      await expectClose(dweight!, c.dweight, { floor });
      if (c.dbias) await expectClose(dbias!, c.dbias);
    });
  }

  for (const c of gelus.cases) {
    test(`gelu, approximate ${c.approximate}: output and gradient`, async () => {
      const f = c.approximate === 'tanh' ? geluTanh : gelu;
      const x = tf.tensor1d(c.x);
      await expectClose(f(x), c.y, { ratio: 2e-6 });
      await expectClose(tf.grad((x: tf.Tensor) => f(x))(x), c.dx, { ratio: 2e-6 });
    });
  }

  for (const c of crossEntropies.cases) {
    test(`cross-entropy [${c.shape}] ${JSON.stringify(c.options)}: loss of each row and gradient`, async () => {
      const logits = tf.tensor2d(c.logits, c.shape as [number, number]);
      const labels = tf.tensor1d(c.labels, 'int32');
      const of = (x: tf.Tensor) => sparseCrossEntropy(x as tf.Tensor2D, labels, c.options);
      await expectClose(of(logits), c.loss, { ratio: 1e-6 });
      await expectClose(tf.grad(of)(logits, tf.tensor1d(c.dy)), c.dlogits);
    });
  }
});
