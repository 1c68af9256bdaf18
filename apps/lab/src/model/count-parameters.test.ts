import { createModel, languageModel } from '@headwise/models';
import { modelConfig } from '@headwise/runs';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { countParameters } from './count-parameters.js';
import { parseRunConfig, type RunConfig } from './run-config.js';

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
