import { overwriteTensor, recordStep } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { languageModelLoss, lossAndGradients } from '../index.js';

const sizes = { vocab_size: 11, n_positions: 8, n_embd: 16, n_layer: 2, n_head: 2 };
const dropout = { embd_pdrop: 0, resid_pdrop: 0, attn_pdrop: 0 };

test('a recorded training step gives the loss and every gradient of new tokens', async () => {
  const { network, params } = createModel(
    { model_type: 'gpt2', ...sizes, ...dropout },
    { seed: 1 },
  );
  const named = params.named();
  const ids = tf.tensor2d([[1, 2, 3, 4, 5, 6]], [1, 6], 'int32');
  const targets = tf.tensor1d([2, 3, 4, 5, 6, 7], 'int32');
  const step = () =>
    lossAndGradients(named, () => {
      const rows = network.forward(ids).reshape<tf.Tensor2D>([6, sizes.vocab_size]);
      const chosen = tf.oneHot(targets, sizes.vocab_size).toFloat();
      return tf.logSoftmax(rows).mul(chosen).sum().neg().div(6) as tf.Scalar;
    });
  const recording = recordStep(step);
  const next = Int32Array.of(7, 0, 10, 3, 3, 9);
  const labels = Int32Array.of(0, 10, 3, 3, 9, 1);
  overwriteTensor(ids, next);
  overwriteTensor(targets, labels);
  recording.replay();

  const batch = { inputs: next, targets: labels, shape: [1, 6] as const };
  const expected = lossAndGradients(named, () => languageModelLoss(network, batch));
  await expectClose(recording.outputs.loss, expected.loss);
  for (const [path, gradient] of Object.entries(expected.gradients)) {
    await expectClose(recording.outputs.gradients[path]!, gradient, { ratio: 1e-4, floor: 1e-6 });
  }
  expect(recording.dispatches).toBeGreaterThan(0);
  recording.dispose();
  tf.dispose([expected.loss, expected.gradients, ids, targets]);
  params.dispose();
});
