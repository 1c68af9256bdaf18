import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { currentDevice, readTensor } from '@headwise/core';
import { underBindingLimit } from '@headwise/core/internal';
import { KeyValueCache, StepLoop, stepPlanOf } from '@headwise/decoding';
import { checkedSampling } from '@headwise/kernels/internal';
import type { WeightDtype } from '@headwise/models';
import { createModel } from '@headwise/models';
import { loadModel, saveModel } from '@headwise/models/node';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { AdamW, causalLanguageModel, constantRate, train } from '../index.js';

// The table takes 17,776 bytes: two pieces, and a row lies across their end.
const limit = 8960;
const sizes = { vocab_size: 101, n_positions: 16, n_embd: 44, n_layer: 1, n_head: 2 };
const dropout = { embd_pdrop: 0, resid_pdrop: 0, attn_pdrop: 0 };
const create = (dtype: WeightDtype = 'f32') =>
  createModel({ model_type: 'gpt2', ...sizes, ...dropout }, { seed: 3, dtype });

const tokens = [3, 50, 51, 100, 5, 50, 2, 6, 5];
const ids = (from: readonly number[]) => tf.tensor2d([from as number[]], [1, from.length], 'int32');

/** Scores of a prompt, of the fused step after it, and the tokens that are drawn then. */
async function decoded(dtype: WeightDtype): Promise<number[][]> {
  const { network, params } = create(dtype);
  const plan = stepPlanOf(network)!;
  const cache = new KeyValueCache();
  const sampling = checkedSampling({ temperature: 0 });
  const prompt = tf.tidy(() => network.forward(ids(tokens.slice(0, 5)), { cache }));
  const loop = new StepLoop(plan, cache, { sampling, maxLength: network.maxLength });
  const logits = loop.logits([{ id: tokens[5]!, position: 5 }]);
  const values = [[...(await readTensor(prompt))], [...(await readTensor(logits))]];
  const seen = { history: tokens.slice(0, 7), banned: new Set<number>() };
  const drawn = await loop.draw({ id: tokens[6]!, position: 6 }, [1, 2, 3], seen);
  prompt.dispose();
  loop.dispose();
  cache.dispose();
  plan.dispose();
  params.dispose();
  return [...values, [...drawn]];
}

for (const dtype of ['f32', 'int8'] as const) {
  test(`a model in ${dtype} whose weights exceed a binding decodes as one whose do not`, async () => {
    const expected = await decoded(dtype);
    const actual = await underBindingLimit(dtype === 'f32' ? limit : 2816, () => decoded(dtype));
    expect(actual.at(-1)).toEqual(expected.at(-1));
    for (const i of [0, 1]) await expectClose(tf.tensor1d(actual[i]!), expected[i]!);
  });
}

/** The parameters after two steps of training, as they are saved and loaded. */
async function trained(): Promise<Record<string, number[]>> {
  const model = create();
  const { network, params } = model;
  // With the usual epsilon, gradients that are 0 but for rounding would move parameters.
  const optimizer = new AdamW(params.named(), { epsilon: 1e-3 });
  const inputs = Int32Array.from(tokens.slice(0, -1));
  const batch = { inputs, targets: Int32Array.from(tokens.slice(1)), shape: [1, 8] as const };
  const run = train({
    objective: causalLanguageModel(network),
    params: params.named(),
    optimizer,
    schedule: constantRate(0.01),
    batches: { at: () => batch },
    steps: 2,
  });
  for await (const { loss } of run) expect(loss).toBeGreaterThan(0);
  const folder = join(mkdtempSync(join(tmpdir(), 'headwise-large-')), 'model');
  await saveModel(folder, model);
  optimizer.dispose();
  params.dispose();
  const loaded = await loadModel(folder);
  const values: Record<string, number[]> = {};
  for (const [path, variable] of Object.entries(loaded.params.named())) {
    values[path] = [...(await readTensor(variable))];
  }
  loaded.params.dispose();
  return values;
}

test('a model whose weights exceed a binding is trained, saved and loaded as one whose do not', async () => {
  const expected = await trained();
  const actual = await underBindingLimit(limit, trained);
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [path, values] of Object.entries(expected)) {
    await expectClose(tf.tensor1d(actual[path]!), values, { ratio: 1e-5 });
  }
});

test('a weight that the device cannot bind is refused with the numbers and the types in which it fits', async () => {
  const model = create();
  const folder = join(mkdtempSync(join(tmpdir(), 'headwise-large-')), 'model');
  await saveModel(folder, model);
  model.params.dispose();
  const { maxBufferSize, maxStorageBuffersPerShaderStage } = currentDevice()!.gpu.limits;
  const pieces = maxStorageBuffersPerShaderStage - 3;
  // The table takes 17,776 bytes in float32, 9,152 in halves.
  const most = 256 * Math.ceil(9152 / pieces / 256);
  const refusal = `'tokens.weight' of shape [101, 44] takes 17776 bytes; the device makes buffers of at most ${maxBufferSize} bytes and binds ${pieces} pieces of ${most} for one weight; `;
  const fits = "load the model with a dtype in which it fits: 'f16', 'int8', 'int4'";
  const before = tf.memory().numTensors;
  await underBindingLimit(most, async () => {
    await expect(loadModel(folder)).rejects.toThrow(refusal + fits);
    expect(() => create()).toThrow(refusal + fits);
    const only = (path: string) => path !== 'tokens.weight';
    await expect(loadModel(folder, { dtype: 'int8', only })).rejects.toThrow(
      `${refusal}pack it too: \`only\` leaves it in float32, and it fits in 'f16', 'int8', 'int4'`,
    );
    (await loadModel(folder, { dtype: 'int8' })).params.dispose();
  });
  await underBindingLimit(256, () => {
    expect(() => create('f16')).toThrow('expected a smaller vocabulary or width');
  });
  expect(tf.memory().numTensors).toBe(before);
});
