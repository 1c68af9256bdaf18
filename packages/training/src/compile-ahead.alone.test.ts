import { currentDevice } from '@headwise/core';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { gpuBytes } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test, vi } from 'vitest';
import { AdamW } from './adamw.js';
import { causalLanguageModel } from './causal-language-model.js';
import { constantRate } from './schedule.js';
import { train } from './train.js';

// A device of its own, which has compiled nothing.
beforeAll(async () => {
  await start({ prefer: 'webgpu' });
});

const sizes = { vocab_size: 37, n_positions: 16, n_embd: 12, n_layer: 2, n_head: 3 };
const inputs = Int32Array.from({ length: 22 }, (_, i) => (7 * i) % sizes.vocab_size);
const batch = { inputs, targets: inputs, shape: [2, 11] as const };

/** Two steps; the losses, and the labels of the pipelines that they waited for. */
async function twoSteps(
  options: { record?: boolean; accumulate?: number },
  { dropout = 0, ahead = true } = {},
): Promise<{ losses: number[]; waitedFor: string[] }> {
  const config = { ...sizes, attn_pdrop: 0, embd_pdrop: dropout, resid_pdrop: dropout };
  const { network, params } = createModel({ model_type: 'gpt2', ...config }, { seed: 3 });
  const named = params.named();
  const own = causalLanguageModel(network);
  // A loss from elsewhere is not run only to be compiled.
  const objective = ahead ? own : { ...own, tensorLoss: { ...own.tensorLoss! } };
  const optimizer = new AdamW(named);
  const { gpu } = currentDevice()!;
  const create = gpu.createComputePipeline;
  const waitedFor: string[] = [];
  const spy = vi.spyOn(gpu, 'createComputePipeline').mockImplementation((descriptor) => {
    waitedFor.push(descriptor.label!);
    return create.call(gpu, descriptor);
  });
  const losses: number[] = [];
  for await (const { loss } of train({
    objective,
    params: named,
    optimizer,
    schedule: constantRate(1e-2),
    batches: { at: () => batch },
    steps: 2,
    ...options,
  })) {
    losses.push(loss);
  }
  spy.mockRestore();
  optimizer.dispose();
  params.dispose();
  return { losses, waitedFor };
}

test('a first step waits for the pipelines of its update alone, recorded or not', async () => {
  expect((await twoSteps({ record: true })).waitedFor).toEqual(['headwise/AdamW']);
  expect((await twoSteps({ record: false })).waitedFor).toEqual([]);
  expect((await twoSteps({ accumulate: 2 }, { dropout: 0.1 })).waitedFor).toEqual([]);
});

test('steps that are compiled ahead are those that are not, to the bit, and leave nothing behind', async () => {
  for (const [options, dropout] of [
    [{ record: true }, 0],
    [{ accumulate: 2 }, 0.1],
  ] as const) {
    const { losses } = await twoSteps(options, { dropout, ahead: false });
    const before = { ...tf.memory(), ...gpuBytes() };
    expect((await twoSteps(options, { dropout })).losses).toEqual(losses);
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(gpuBytes().used).toBe(before.used);
  }
});
