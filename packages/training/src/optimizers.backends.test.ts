import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { AdamW } from './adamw.js';
import golden from './goldens/optimizers.json' with { type: 'json' };
import { Lion } from './lion.js';
import { Muon } from './muon.js';
import type { Optimizer } from './optimizer.js';
import { Sgd } from './sgd.js';

type Params = Record<string, tf.Variable>;

const { tensors, rates, runs } = golden.cases[0]!;
const makers: Record<string, (params: Params, options: object) => Optimizer> = {
  AdamW: (params, options) => new AdamW(params, options),
  Sgd: (params, options) => new Sgd(params, options),
  Lion: (params, options) => new Lion(params, options),
  Muon: (params, options) =>
    new Muon(params, { matrices: (_, { rank }) => rank === 2, adamw: { rate: 0.5 }, ...options }),
};

const initial = (): Params =>
  tf.tidy(() =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, { shape, initial }]) => [
        name,
        tf.variable(tf.tensor(initial, shape)),
      ]),
    ),
  );

const gradients = (step: number): Record<string, tf.Tensor> =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, base, phase }]) => [
      name,
      tf.tensor(
        base.map((value, i) => value * Math.cos(phase[i]! * step)),
        shape,
      ),
    ]),
  );

function updates(optimizer: Optimizer, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    tf.tidy(() => optimizer.update(gradients(step), rates[step]!));
  }
}

/** A state as it is saved: read from the backend, and made anew. */
async function reread(optimizer: Optimizer): Promise<Record<string, tf.Tensor>> {
  const read: Record<string, tf.Tensor> = {};
  for (const [name, { shape, copy }] of Object.entries(optimizer.state)) {
    const values = copy();
    read[name] = tf.tensor(await values.data(), shape);
    values.dispose();
  }
  return read;
}

describeBackends('twenty steps', () => {
  for (const { optimizer: name, options, after } of runs.filter((r) => r.optimizer in makers)) {
    test(`${name} with ${JSON.stringify(options)} are PyTorch's, and resume to the bit`, async () => {
      const make = makers[name]!;
      const straight = initial();
      updates(make(straight, options), 0, rates.length);
      for (const [path, expected] of Object.entries(after)) {
        await expectClose(straight[path]!, expected, { ratio: 1e-5 });
      }
      const params = initial();
      const before = make(params, options);
      updates(before, 0, 7);
      const tensors = await reread(before);
      before.dispose();
      const resumed = make(params, options);
      resumed.restore({ steps: 7, tensors });
      updates(resumed, 7, rates.length);
      for (const [path, variable] of Object.entries(params)) {
        expect(await variable.data()).toEqual(await straight[path]!.data());
      }
    });
  }
});
