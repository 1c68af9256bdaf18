import { Random } from '@headwise/core';
import { createModel } from '@headwise/models';
import { gpuBytes } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { AdamW, clipping, languageModelLoss, lossAndGradients } from '../index.js';

const length = 128;
const vocabulary = 96;
const sizes = { vocab_size: vocabulary, n_positions: length, n_embd: 32, n_layer: 1, n_head: 2 };
const dropouts = { embd_pdrop: 0, resid_pdrop: 0, attn_pdrop: 0 };

// TensorFlow.js keeps every freed buffer by its exact size: the prompts alone leave several times as much there.
test('random shapes of prompts and batches allocate at most 1.5 times the memory of the largest', async () => {
  const { network, params } = createModel({ model_type: 'gpt2', ...sizes, ...dropouts });
  const named = params.named();
  const optimizer = new AdamW(named);
  const random = new Random(1);
  const upTo = (n: number) => 1 + Math.floor(random.next() * n);
  const ids = (count: number) => Int32Array.from({ length: count }, () => upTo(vocabulary) - 1);
  const prompt = async (tokens: number) => {
    const input = tf.tensor2d(ids(tokens), [1, tokens], 'int32');
    const scores = tf.tidy(() => network.forward(input));
    await scores.data();
    tf.dispose([input, scores]);
  };
  const step = async (rows: number, tokens: number) => {
    const inputs = ids(rows * tokens);
    const batch = { inputs, targets: inputs, shape: [rows, tokens] as const };
    const { loss, gradients } = lossAndGradients(named, () => languageModelLoss(network, batch));
    const { norm, scale } = clipping(gradients, 1);
    optimizer.update(gradients, 1e-3, scale);
    await loss.data();
    tf.dispose([norm, scale, gradients, loss]);
  };
  for (const { largest, other, count } of [
    { largest: () => prompt(length), other: () => prompt(upTo(length)), count: 24 },
    { largest: () => step(2, length), other: () => step(upTo(2), upTo(length)), count: 8 },
  ]) {
    await largest();
    const alone = gpuBytes().allocated;
    for (let i = 0; i < count; i++) await other();
    expect(gpuBytes().allocated).toBeLessThanOrEqual(1.5 * alone);
  }
  optimizer.dispose();
  params.dispose();
});
