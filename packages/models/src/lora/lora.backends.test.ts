import { ParamStore } from '@headwise/core';
import { describeBackends, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { createModel, type DecoderSettings } from '../model.js';
import { AdaptedModel } from './adapted.js';
import { Lora } from './lora.js';

const config: DecoderSettings = {
  model_type: 'gpt2',
  vocab_size: 31,
  n_positions: 16,
  n_embd: 20,
  n_layer: 2,
  n_head: 5,
};
const ids = () => tf.tensor2d([3, 1, 4, 1, 5, 9, 2, 6], [2, 4], 'int32');

/** An adapter that changes something: B is not zero. */
async function trained(
  base: ParamStore,
  targets = /attn\.qkv$|mlp\.(up|down)$/,
  dora = false,
): Promise<Lora> {
  const lora = new Lora(base, { rank: 3, alpha: 6, targets, seed: 7, dora });
  for (const [path, variable] of Object.entries(lora.params.named())) {
    const random = gaussian(variable.shape, path.length).mul(0.1);
    if (path.endsWith('loraB')) variable.assign(random);
    if (path.endsWith('loraMagnitude')) variable.assign(variable.mul(random.add(1)));
  }
  return lora;
}

describeBackends('LoRA', () => {
  test('a new adapter changes nothing, a trained one gives what its merged weights give', async () => {
    const model = createModel(config, { seed: 1 });
    const bare = await model.network.forward(ids()).data();
    const fresh = new Lora(model.params, { rank: 3, targets: /qkv$/ });
    await expectClose(new AdaptedModel(model.network, fresh).forward(ids()), bare);

    const lora = await trained(model.params);
    const adapted = new AdaptedModel(model.network, lora);
    const beside = await adapted.forward(ids()).data();
    expect(Math.max(...beside.map((y, i) => Math.abs(y - bare[i]!)))).toBeGreaterThan(1e-3);
    lora.merge();
    await expectClose(model.network.forward(ids()), beside, { ratio: 1e-5 });
    await expectClose(adapted.forward(ids()), beside, { ratio: 1e-5 });
    lora.unmerge();
    await expectClose(model.network.forward(ids()), bare, { ratio: 1e-5 });
    for (const { params } of [fresh, lora, model]) params.dispose();
  });

  test('A and B have exact gradients', async () => {
    const model = createModel(config, { seed: 2 });
    const lora = await trained(model.params, /blocks\.1\.mlp\.up$/);
    const network = new AdaptedModel(model.network, lora);
    const cotangent = gaussian([2, 4, 31], 5);
    const gradientsOf = (f: () => tf.Tensor, variables: Record<string, tf.Variable>) =>
      tf.variableGrads(() => f().mul(cotangent).sum(), Object.values(variables)).grads;
    const grads = gradientsOf(() => network.forward(ids()), lora.params.named());

    // By the chain rule from the gradient of W, where W holds the update: dA = s Bᵀ dWᵀ, dB = s dWᵀ Aᵀ.
    const weight = model.params.named()['blocks.1.mlp.up.weight']!; // [in, out]
    lora.merge();
    const dW = gradientsOf(() => model.network.forward(ids()), { weight })[weight.name]!;
    const { loraA, loraB } = Object.fromEntries(
      Object.entries(lora.params.named()).map(([path, x]) => [path.split('.').at(-1)!, x]),
    ) as { loraA: tf.Variable<tf.Rank.R2>; loraB: tf.Variable<tf.Rank.R2> };
    const dA = tf.matMul(loraB, dW as tf.Tensor2D, true, true).mul(2);
    const dB = tf.matMul(dW as tf.Tensor2D, loraA, true, true).mul(2);
    await expectClose(grads[loraA.name]!, await dA.data(), { ratio: 1e-4 });
    await expectClose(grads[loraB.name]!, await dB.data(), { ratio: 1e-4 });
    lora.params.dispose();
    model.params.dispose();
  });

  test('DoRA: a new adapter changes nothing, a trained one gives what its merged weights give', async () => {
    const model = createModel(config, { seed: 1 });
    const bare = await model.network.forward(ids()).data();
    const options = { rank: 3, targets: /qkv$/, dora: true };
    const fresh = new Lora(model.params, options);
    await expectClose(new AdaptedModel(model.network, fresh).forward(ids()), bare);

    const lora = await trained(model.params, /attn\.qkv$|mlp\.(up|down)$/, true);
    const adapted = new AdaptedModel(model.network, lora);
    const beside = await adapted.forward(ids()).data();
    expect(Math.max(...beside.map((y, i) => Math.abs(y - bare[i]!)))).toBeGreaterThan(1e-3);
    lora.merge();
    await expectClose(model.network.forward(ids()), beside, { ratio: 1e-5 });
    lora.unmerge();
    await expectClose(model.network.forward(ids()), bare, { ratio: 1e-5 });
    await expectClose(adapted.forward(ids()), beside, { ratio: 1e-5 });

    // Beside the same weights in 8 bits: the norms are those of the packed weights.
    const packed = createModel(config, { seed: 1, dtype: 'int8' });
    const besidePacked = new Lora(packed.params, options);
    const rounded = await packed.network.forward(ids()).data();
    await expectClose(new AdaptedModel(packed.network, besidePacked).forward(ids()), rounded, {
      ratio: 1e-5,
    });
    for (const { params } of [fresh, lora, model, besidePacked, packed]) params.dispose();
  });

  test('works beside packed weights, which cannot take it in', async () => {
    const model = createModel(config, { seed: 3, dtype: 'int8' });
    const lora = await trained(model.params);
    const network = new AdaptedModel(model.network, lora);
    const bare = await model.network.forward(ids()).data();
    const adapted = await network.forward(ids()).data();
    expect(Math.max(...adapted.map((y, i) => Math.abs(y - bare[i]!)))).toBeGreaterThan(1e-3);
    expect(() => lora.merge()).toThrow("the weight of 'blocks.0.attn.qkv' is packed");
    lora.params.dispose();
    model.params.dispose();
  });
});

test('what cannot be adapted is said', () => {
  const params = new ParamStore();
  expect(() => new Lora(params, { rank: 0, targets: /x/ })).toThrow('rank is 0');
  const model = createModel(config);
  expect(() => new Lora(model.params, { rank: 2, targets: /nothing/ })).toThrow(
    /no linear map matches \/nothing\/; there are blocks\.0\.attn\.qkv,/,
  );
  const lora = new Lora(model.params, { rank: 2, targets: /qkv/ });
  expect(() => new Lora(model.params, { rank: 2, targets: /qkv/, dora: true, bias: true })).toThrow(
    'dora and bias are both true',
  );
  expect(() => lora.unmerge()).toThrow('not merged');
  lora.merge();
  expect(() => lora.merge()).toThrow('merged already');
  lora.params.dispose();
  model.params.dispose();
});
