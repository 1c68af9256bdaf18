import { createModel } from '@headwise/models';
import { describeBackends, fullOnly } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { AdamW, causalLanguageModel, constantRate, train } from '../index.js';

const tokens = [3, 1, 4, 1, 5, 9, 2, 6, 5];
const batch = {
  inputs: Int32Array.from(tokens.slice(0, -1)),
  targets: Int32Array.from(tokens.slice(1)),
  shape: [1, 8] as const,
};

describeBackends('a GPT of two layers', (backend) => {
  const notOnWebGpu = backend === 'webgpu' ? fullOnly : test;

  test('overfits eight tokens, and keeps as many tensors after step 50 as after step 3', async () => {
    const before = tf.memory().numTensors;
    const { network, params } = createModel(
      {
        model_type: 'gpt2',
        vocab_size: 10,
        n_positions: 8,
        n_embd: 16,
        n_layer: 2,
        n_head: 2,
        embd_pdrop: 0,
        resid_pdrop: 0,
        attn_pdrop: 0,
      },
      { seed: 1 },
    );
    const optimizer = new AdamW(params.named());
    const run = train({
      objective: causalLanguageModel(network),
      params: params.named(),
      optimizer,
      schedule: constantRate(0.01),
      batches: { at: () => batch },
      steps: 60,
    });
    const tensors: number[] = [];
    let last = Number.POSITIVE_INFINITY;
    for await (const { step, loss } of run) {
      tensors[step] = tf.memory().numTensors;
      last = loss;
    }
    expect(last).toBeLessThan(0.05);
    expect(tensors[50]).toBe(tensors[3]);
    optimizer.dispose();
    params.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  notOnWebGpu(
    'trains with the dropout of its defaults, and drops the same when it is resumed',
    async () => {
      const sizes = { vocab_size: 10, n_positions: 8, n_embd: 16, n_layer: 1, n_head: 2 };
      const losses = async (parts: [start: number, steps: number][]) => {
        const { network, params } = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });
        const named = params.named();
        const optimizer = new AdamW(named);
        const made: number[] = [];
        for (const [start, steps] of parts) {
          const schedule = constantRate(0.01);
          const batches = { at: () => batch };
          const objective = causalLanguageModel(network);
          const run = train({
            objective,
            params: named,
            optimizer,
            schedule,
            batches,
            start,
            steps,
          });
          for await (const { loss } of run) made.push(loss);
        }
        optimizer.dispose();
        params.dispose();
        return made;
      };
      expect(
        await losses([
          [0, 2],
          [2, 4],
        ]),
      ).toEqual(await losses([[0, 4]]));
    },
  );
});
