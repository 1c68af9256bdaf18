import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { Adafactor } from './adafactor.js';
import { AdamW } from './adamw.js';
import golden from './goldens/optimizers.json' with { type: 'json' };
import { Lion } from './lion.js';
import { Muon } from './muon.js';
import type { Optimizer } from './optimizer.js';
import { adafactorRate, type Schedule } from './schedule.js';
import { Sgd } from './sgd.js';

type Params = Record<string, tf.Variable>;

const { tensors, rates, runs } = golden.cases[0]!;
const makers: Record<string, (params: Params, options: object) => Optimizer> = {
  AdamW: (params, options) => new AdamW(params, options),
  Sgd: (params, options) => new Sgd(params, options),
  Lion: (params, options) => new Lion(params, options),
  Muon: (params, options) =>
    new Muon(params, { matrices: (_, { rank }) => rank === 2, adamw: { rate: 0.5 }, ...options }),
  // Relative steps are a schedule.
  Adafactor: (params, { relativeStep: _, warmupInit: __, ...options }: Relative) =>
    new Adafactor(params, options),
};

/** What transformers' Adafactor takes for a schedule of its own. */
interface Relative {
  relativeStep?: boolean;
  warmupInit?: boolean;
}

const scheduleOf = ({ relativeStep, warmupInit }: Relative): Schedule =>
  relativeStep ? adafactorRate({ slowStart: warmupInit }) : (step) => rates[step]!;

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

function updates(optimizer: Optimizer, schedule: Schedule, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    tf.tidy(() => optimizer.update(gradients(step), schedule(step)));
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
  for (const { optimizer: name, options, after } of runs) {
    test(`${name} with ${JSON.stringify(options)} are PyTorch's, and resume to the bit`, async () => {
      const make = makers[name]!;
      const schedule = scheduleOf(options as Relative);
      const straight = initial();
      updates(make(straight, options), schedule, 0, rates.length);
      for (const [path, expected] of Object.entries(after)) {
        await expectClose(straight[path]!, expected, { ratio: 1e-5 });
      }
      const params = initial();
      const before = make(params, options);
      updates(before, schedule, 0, 7);
      const tensors = await reread(before);
      before.dispose();
      const resumed = make(params, options);
      resumed.restore({ steps: 7, tensors });
      updates(resumed, schedule, 7, rates.length);
      for (const [path, variable] of Object.entries(params)) {
        expect(await variable.data()).toEqual(await straight[path]!.data());
      }
    });
  }
});
