import { readSafetensors, writeSafetensors } from '@headwise/safetensors';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { AdamW } from './adamw.js';
import { Ema } from './ema.js';
import golden from './goldens/loss-scale.json' with { type: 'json' };
import { LossScale, type LossScaleOptions } from './loss-scale.js';
import type { ExampleBatch, Objective } from './objective.js';
import { constantRate } from './schedule.js';
import { restoreTrainer, trainerState } from './state.js';
import { type TrainStep, train } from './train.js';

interface Given {
  gradient: readonly (number | string)[];
  loss?: number;
}

const numberOf = (value: number | string) => Number(`${value}`.replace('inf', 'Infinity'));

/** A weight of three values, a finite loss, and the gradients that the batches hold. */
function made(steps: readonly Given[], options: LossScaleOptions = {}) {
  const weights = tf.variable(tf.tensor1d([0.5, -1, 2]));
  const params = { weights };
  const objective: Objective<Given & ExampleBatch> = {
    name: 'given gradients',
    predicted: () => 1,
    loss: ({ gradient, loss = 2 }) => {
      const given = gradient.map(numberOf);
      return tf.customGrad(() => ({
        value: tf.scalar(loss),
        gradFunc: (dy) => dy.mul(tf.tensor1d(given)),
      }))(weights) as tf.Scalar;
    },
  };
  return {
    params,
    objective,
    optimizer: new AdamW(params, { weightDecay: () => 0.01 }),
    schedule: constantRate(0.1),
    batches: { at: (n: number) => ({ ...steps[n]!, shape: [1, 1] as const }) },
    steps: steps.length,
    lossScale: new LossScale(options),
  };
}

describe('a loss scale', () => {
  test.each(golden.cases)("of $options is PyTorch's, and so are the updates", async (given) => {
    const run = made(given.steps, given.options);
    const seen: TrainStep[] = [];
    for await (const step of train(run)) {
      const expected = given.steps[step.step]!;
      expect(step.lossScale).toBe(expected.scale);
      expect(run.optimizer.steps).toBe(expected.updates);
      await expectClose(run.params.weights, expected.weights, { ratio: 1e-6 });
      seen.push(step);
    }
    expect(run.lossScale.state).toMatchObject({ value: given.last, finite: given.finite });
    const before = [0, ...given.steps.map(({ updates }) => updates)];
    expect(seen.map(({ skipped }) => skipped === true)).toEqual(
      given.steps.map(({ updates }, i) => updates === before[i]),
    );
    expect(new Set(seen.map(({ loss }) => loss))).toEqual(new Set([2]));
  });

  test('leaves the update of finite gradients as it is, to the bit', async () => {
    const steps = [1, 2, 3].map((n) => ({ gradient: [n, 1 / n, -0.3] }));
    const [scaled, plain] = [made(steps), { ...made(steps), lossScale: undefined }];
    const [a, b]: TrainStep[][] = [[], []];
    for await (const step of train(scaled)) a!.push(step);
    for await (const step of train(plain)) b!.push(step);
    expect(await scaled.params.weights.data()).toEqual(await plain.params.weights.data());
    const told = ({ loss, gradientNorm }: TrainStep) => [loss, gradientNorm];
    expect(a!.map(told)).toEqual(b!.map(told));
  });

  test('skips an average of the weights with the update', async () => {
    const run = made([{ gradient: [1, 1, 1] }, { gradient: ['inf', 1, 1] }]);
    const ema = new Ema(run.params, { decay: 0.5 });
    for await (const _ of train({ ...run, ema }));
    expect(ema.steps).toBe(1);
  });

  test('saved, restored and gone on with is that of one run, to the bit', async () => {
    const steps = [1, 'inf', 2, 3, 'nan', 4, 5].map((first) => ({ gradient: [first, 1, -1] }));
    const options = { initial: 10, growth: 1.7, backoff: 0.3, interval: 2 };
    const [whole, begun, resumed] = [0, 1, 2].map(() => made(steps, options));
    for await (const _ of train(whole!));
    for await (const _ of train({ ...begun!, steps: 5 }));
    const { tensors, metadata } = trainerState(begun!, { step: 5, random: [1, 2, 3, 4] });
    const eager = await Promise.all(
      Object.entries(tensors).map(async ([k, t]) => [k, { ...t, data: await t.data() }] as const),
    );
    const file = (metadata: Record<string, string>) =>
      readSafetensors(writeSafetensors(Object.fromEntries(eager), metadata));
    const { step } = restoreTrainer(resumed!, file(metadata), 'state');
    expect(resumed!.lossScale.state).toEqual(begun!.lossScale.state);
    for await (const _ of train({ ...resumed!, start: step }));
    expect(resumed!.lossScale.state).toEqual(whole!.lossScale.state);
    expect(await resumed!.params.weights.data()).toEqual(await whole!.params.weights.data());

    const { lossScale: _, ...without } = metadata;
    expect(() => restoreTrainer(resumed!, file(without), 'state')).toThrow(
      "state: holds no loss scale; expected a training without 'lossScale'",
    );
    expect(() =>
      restoreTrainer({ ...resumed!, lossScale: undefined }, file(metadata), 'state'),
    ).toThrow("state: holds a loss scale; expected a 'lossScale' for it");
    const spoilt = { ...metadata, lossScale: '{"value":0.1,"finite":0,"skipped":0}' };
    expect(() => restoreTrainer(resumed!, file(spoilt), 'state')).toThrow(
      'expected its value, a float32 above 0',
    );
  });

  test('is no excuse for a loss that is not finite, nor for gradients at a scale of 1', async () => {
    const endless = Array.from({ length: 40 }, () => ({ gradient: ['nan', 0, 0] }));
    const stepsOf = async (run: ReturnType<typeof made>) => {
      let count = 0;
      await expect(async () => {
        for await (const _ of train(run)) count++;
      }).rejects.toThrow("the gradient of 'weights' is not finite");
      return count;
    };
    expect(await stepsOf(made(endless))).toBe(16);
    expect(await stepsOf(made(endless, { backoff: 0.99 }))).toBe(32);
    const diverged = made([{ gradient: [1, 1, 1], loss: Number.NaN }]);
    await expect(train(diverged).next()).rejects.toThrow('training diverged at step 0: loss NaN');
  });

  test('does not stand in for mixed precision, which is refused by name where the backend has none', async () => {
    const run = { ...made([{ gradient: [1, 1, 1] }]), lossScale: undefined };
    await expect(train({ ...run, precision: 'mixed' }).next()).rejects.toThrow(
      "train: precision is 'mixed', and the backend is 'cpu'; expected 'float32', or WebGPU on a device with the feature 'shader-f16'",
    );
  });

  test('refuses options outside their ranges', () => {
    for (const [options, message] of [
      [{ initial: 0 }, 'initial is 0; expected a finite number above 0'],
      [{ growth: 1 }, 'growth is 1; expected a finite number above 1'],
      [{ backoff: 1 }, 'backoff is 1; expected a number between 0 and 1'],
      [{ interval: 0 }, 'interval is 0; expected a whole number of at least 1'],
    ] as const) {
      expect(() => new LossScale(options)).toThrow(`LossScale: ${message}`);
    }
  });
});
