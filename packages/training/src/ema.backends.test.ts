import { Random } from '@headwise/core';
import { readSafetensors, writeSafetensors } from '@headwise/safetensors';
import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { AdamW } from './adamw.js';
import { Ema } from './ema.js';
import golden from './goldens/optimizers.json' with { type: 'json' };
import { restoreTrainer, restoreWeights, type Trained, trainerState } from './state.js';

const { tensors, rates, averages } = golden.cases[0]!;

/** The parameters of the golden, their optimizer and averages. */
function trainedWith(options: object): Trained & { ema: Ema } {
  const params = Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, initial }]) => [
      name,
      tf.tidy(() => tf.variable(tf.tensor(initial, shape))),
    ]),
  );
  const optimizer = new AdamW(params, { weightDecay: 0.1, beta2: 0.99 });
  return { params, optimizer, ema: new Ema(params, options) };
}

function steps({ optimizer, ema }: Trained, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    tf.tidy(() => {
      const gradients = Object.entries(tensors).map(([name, { shape, base, phase }]) => {
        const values = base.map((value, i) => value * Math.cos(phase[i]! * step));
        return [name, tf.tensor(values, shape)] as const;
      });
      optimizer.update(Object.fromEntries(gradients), rates[step]!);
    });
    ema?.update();
  }
}

const read = async (of: Record<string, { data(): Promise<unknown> }>) =>
  Promise.all(Object.values(of).map((tensor) => tensor.data()));

async function saved(trained: Trained, step: number) {
  const { tensors, metadata } = trainerState(trained, { step, random: new Random(1).state });
  const eager = await Promise.all(
    Object.entries(tensors).map(async ([k, t]) => [k, { ...t, data: await t.data() }] as const),
  );
  return readSafetensors(writeSafetensors(Object.fromEntries(eager), metadata));
}

function dispose({ params, optimizer, ema }: Trained): void {
  tf.dispose(params);
  optimizer.dispose();
  ema?.dispose();
}

describeBackends('averages of weights over twenty steps', () => {
  for (const { options, after } of averages) {
    test(`with ${JSON.stringify(options)} are PyTorch's, and resume to the bit`, async () => {
      const before = tf.memory().numTensors;
      const straight = trainedWith(options);
      steps(straight, 0, 20);
      const own = await read(straight.params);
      const averages = await straight.ema.during(() => read(straight.params));
      for (const [i, expected] of Object.values(after).entries()) {
        await expectClose(averages[i] as Float32Array, expected, { ratio: 1e-5 });
      }
      expect(await read(straight.params)).toEqual(own);

      const stopped = trainedWith(options);
      steps(stopped, 0, 7);
      const file = await saved(stopped, 7);
      const resumed = trainedWith(options);
      restoreTrainer(resumed, file, 'state');
      expect(resumed.ema.steps).toBe(7);
      steps(resumed, 7, 20);
      expect(await resumed.ema.during(() => read(resumed.params))).toEqual(averages);
      expect(await read(resumed.params)).toEqual(own);
      for (const trained of [straight, stopped, resumed]) dispose(trained);
      expect(tf.memory().numTensors).toBe(before);
    });
  }

  test('are apart from the parameters, and back in their place after an error', async () => {
    const trained = trainedWith({});
    const { ema, params } = trained;
    steps(trained, 0, 3);
    const own = await read(params);
    await expect(
      ema.during(() => {
        expect(() => ema.update()).toThrow(
          'Ema: update while the parameters hold the averages; expected after it',
        );
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await read(params)).toEqual(own);
    const { ema: _, ...without } = trained;
    const file = await saved(trained, 3);
    const averages = await ema.during(() => read(params));
    const within = await ema.during(() => saved(trained, 3));
    for (const key of file.tensors.keys()) expect(within.get(key)).toEqual(file.get(key));
    // What a training is for: the averages, where it keeps them.
    const result = trainedWith({});
    restoreWeights(result.params, file, 'state');
    expect(await read(result.params)).toEqual(averages);
    dispose(result);
    expect(() => restoreTrainer(without, file, 'state')).toThrow(
      "state: holds averages of weights; expected an 'ema' for them",
    );
    const bare = await saved(without, 3);
    expect(() => restoreTrainer(trained, bare, 'state')).toThrow(
      "state: holds no averages of weights; expected a training without 'ema'",
    );
    expect(() => new Ema(params, { decay: 1 })).toThrow('Ema: decay is 1; expected at least 0');
    dispose(trained);
  });
});
