import { createModel, languageModel } from '@headwise/models';
import { modelConfig } from '@headwise/runs';
import { AdamW, languageModelLoss, lossAndGradients } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { countParameters } from './count-parameters.js';
import { parseRunConfig, type RunConfig } from './run-config.js';
import { predictMemory } from './size.js';

const vocabSize = 31;
const newModel = (model: RunConfig['model']) =>
  languageModel(createModel(modelConfig(model, vocabSize), { seed: 1 }));
const sizes = { dim: 24, heads: 4, layers: 2, context: 12 };
const variants: Partial<RunConfig['model']>[] = [
  {},
  { position: 'sinusoidal' },
  { position: 'rotary', kvHeads: 2 },
  { position: 'none', norm: 'rms', kvHeads: 1, window: 5 },
  { feedForward: 'gated-silu', hidden: 40 },
  { feedForward: 'relu', norm: 'rms', layers: 1 },
  { position: 'rotary', norm: 'rms', feedForward: 'gated-silu', kvHeads: 2 },
  { position: 'alibi', block: 'parallel', score: 'dot-product' },
  { position: 't5', block: 'post-norm', score: 'additive' },
  { position: 'shaw', score: 'general' },
  { position: 'rotary', norm: 'rms', feedForward: 'relu2', qkNorm: true, embeddingNorm: true },
  { tied: false, init: 'zero' },
];

for (const variant of variants) {
  test(`the parameters of ${JSON.stringify(variant)} are counted before they are made`, () => {
    const { model } = parseRunConfig({ model: { ...sizes, ...variant } });
    const { params, network } = newModel(model);
    const { numTensors, numDataBuffers, numBytes } = tf.memory();
    expect(countParameters(model, vocabSize)).toBe(params.count());
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers, numBytes });
    const logits = tf.tidy(() => network.forward(tf.zeros([2, 12], 'int32')).shape);
    expect(logits).toEqual([2, 12, vocabSize]);
    params.dispose();
  });
}

test('the predicted memory is that of a training step, give or take a tenth', async () => {
  for (const model of [
    { ...sizes, dim: 32, context: 32 },
    { ...sizes, dim: 64, layers: 3, context: 16 },
    { ...sizes, dim: 32, context: 48, feedForward: 'gated-silu', norm: 'rms' },
    {
      ...sizes,
      dim: 64,
      context: 32,
      feedForward: 'relu2',
      norm: 'rms',
      qkNorm: true,
      embeddingNorm: true,
    },
  ]) {
    const config = parseRunConfig({ model, training: { batchSize: 4 } });
    const { params, network } = newModel(config.model);
    const optimizer = new AdamW(params.named());
    const [rows, length] = [4, config.model.context];
    const ids = new Int32Array(rows * length).map((_, i) => i % vocabSize);
    const batch = { inputs: ids, targets: ids, shape: [rows, length] as const };
    const before = tf.memory().numBytes;
    // Parameters and two moments.
    const held = 3 * 4 * params.count();
    const { peakBytes } = await tf.profile(() => {
      const { loss, gradients } = lossAndGradients(params.named(), () =>
        languageModelLoss(network, batch, { training: true }),
      );
      tf.dispose([loss, gradients]);
      return tf.zeros([1]);
    });
    const measured = peakBytes - before + held;
    const predicted = predictMemory(
      config,
      { vocabSize, parameters: params.count() },
      { fused: false },
    );
    expect(predicted / measured).toBeGreaterThan(0.9);
    expect(predicted / measured).toBeLessThan(1.1);
    optimizer.dispose();
    params.dispose();
  }
}, 60_000);
