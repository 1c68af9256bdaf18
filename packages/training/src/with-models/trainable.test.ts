import type { LanguageModel } from '@headwise/core';
import {
  AdaptedModel,
  createModel,
  type DecoderSettings,
  Lora,
  quantizeModel,
} from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { AdamW, causalLanguageModel, constantRate, lossAndGradients, train } from '../index.js';

const config: DecoderSettings = {
  model_type: 'gpt2',
  vocab_size: 31,
  n_positions: 16,
  n_embd: 20,
  n_layer: 2,
  n_head: 5,
};
const folder = new URL('../../../parity/goldens/gpt2', import.meta.url).pathname;
const batch = {
  inputs: Int32Array.of(1, 2, 3),
  targets: Int32Array.of(2, 3, 4),
  shape: [1, 3] as const,
};

type Params = Record<string, tf.Variable>;

const trained = (network: LanguageModel, params: Params) =>
  train({
    objective: causalLanguageModel(network),
    params,
    optimizer: { update: () => {} } as unknown as AdamW,
    schedule: constantRate(1e-3),
    batches: { at: () => batch },
    steps: 1,
  }).next();

test.each([
  ['loaded in half precision', () => loadModel(folder, { dtype: 'f16' })],
  ['made packed', async () => createModel(config, { dtype: 'int4' })],
  [
    'packed since',
    async () => {
      const model = createModel(config);
      await quantizeModel(model.params, { dtype: 'int8' });
      return model;
    },
  ],
])('a model that is %s is not trained in part without a word', async (_, make) => {
  const model = await make();
  const params = model.params.named();
  const packed = Object.entries(model.params.matrices()).filter(([, { packed }]) => packed);
  const said = `${packed.length} of the model's ${packed.length + Object.keys(params).length} parameters are packed, such as 'tokens.weight'`;
  expect(() => new AdamW(params)).toThrow(`AdamW: ${said}`);
  expect(() => lossAndGradients(params, () => tf.scalar(0))).toThrow(`lossAndGradients: ${said}`);
  await expect(trained(model.network as never, params)).rejects.toThrow(`train: ${said}`);
  model.params.dispose();
});

test('what is chosen by path is trained, and so is an adapter beside packed weights', async () => {
  const model = createModel(config, { dtype: 'int8' });
  const norms = Object.fromEntries(
    Object.entries(model.params.named()).filter(([path]) => /norm/.test(path)),
  );
  new AdamW(norms).dispose();
  await expect(trained(model.network, norms)).resolves.toMatchObject({ done: false });
  const lora = new Lora(model.params, { rank: 2, targets: /qkv$/ });
  const own = lora.params.named();
  new AdamW(own).dispose();
  await expect(trained(new AdaptedModel(model.network, lora), own)).resolves.toMatchObject({
    done: false,
  });
  for (const { params } of [lora, model]) params.dispose();
});

test('parameters that are frozen or freed are named', async () => {
  const model = createModel(config);
  const params = model.params.named();
  params['norm.bias']!.trainable = false;
  const frozen = "parameter 'norm.bias' is frozen";
  expect(() => new AdamW(params)).toThrow(`AdamW: ${frozen}`);
  await expect(trained(model.network, params)).rejects.toThrow(`train: ${frozen}`);
  params['norm.bias']!.trainable = true;
  const chosen = { ...params };
  await quantizeModel(model.params, { dtype: 'int8' });
  expect(() => new AdamW(chosen)).toThrow(
    "AdamW: parameter 'tokens.weight' has been freed, or packed since",
  );
  model.params.dispose();
});
