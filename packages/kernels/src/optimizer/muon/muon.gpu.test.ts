import { dispatchesOf, expectClose, expectNoLeak, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import type { OptimizerState } from '../state.js';
import type { MuonNumbers, MuonParameter } from './blocks.js';
import { FlatMuon } from './flat.js';
import { muonState } from './index.js';
import { PlainMuon } from './plain.js';

const numbers: MuonNumbers = {
  momentum: 0.95,
  nesterov: true,
  coefficients: [3.4445, -4.775, 2.0315],
  iterations: 5,
  epsilon: 1e-7,
  adjust: 'original',
};
const shapes: [number, number][] = [
  [1, 1],
  [3, 5],
  [5, 3],
  [33, 65],
  [16, 48],
  [48, 16],
  [16, 16],
  [40, 9],
];

/** Wide, tall and square ones in both layouts, two of them of three maps. */
const parameters = (): MuonParameter[] =>
  shapes.map((shape, i) => ({
    variable: tf.tidy(() => tf.variable(gaussian(shape, i + 1))),
    rate: i % 3 === 1 ? 0.5 : 1,
    decay: i % 2 === 1 ? 0.1 : 0,
    layout: i % 2 === 0 ? 'in-out' : 'out-in',
    parts: shape.includes(48) ? [16, 24, 8] : undefined,
  }));

function steps(state: OptimizerState, from: number, to: number, scale?: tf.Tensor): void {
  for (let step = from; step <= to; step++) {
    const gradients = shapes.map((shape, i) => gaussian(shape, 100 * step + i));
    state.update(gradients, { learningRate: 0.1, step }, scale);
  }
}

test.each([
  [true, 'original'],
  [false, 'match-rms-adamw'],
] as const)(
  'the fused steps are the plain ones, with nesterov %s and %s',
  async (nesterov, adjust) => {
    const options = { ...numbers, nesterov, adjust };
    const scale = tf.scalar(0.7);
    const expected = parameters();
    const plain = new PlainMuon(options, expected);
    steps(plain, 1, 3, scale);
    for (const most of [2 ** 24, 1000]) {
      const actual = parameters();
      await poisonMemory([[5041], [1536], [2145], [1089]]);
      const fused = new FlatMuon(options, actual, most);
      steps(fused, 1, 3, scale);
      for (const [i, { variable }] of actual.entries()) {
        await expectClose(variable, expected[i]!.variable, { ratio: 1e-5 });
        await expectClose(fused.slots[i]!.read(), plain.slots[i]!.read(), { ratio: 2e-6 });
      }
    }
  },
);

test('a step of any number of matrices of two shapes takes 37 dispatches, and leaves nothing behind', async () => {
  const made = [1, 12].map((layers) => {
    const many = Array.from({ length: 2 * layers }, (_, i) => ({
      variable: tf.tidy(() => tf.variable(gaussian(i % 2 ? [8, 32] : [8, 24], i))),
      rate: 1,
      decay: 0.01,
      layout: 'in-out' as const,
      parts: i % 2 ? undefined : [8, 8, 8],
    }));
    const given = many.map(({ variable }, i) => gaussian(variable.shape, i));
    const state = muonState(numbers, many);
    const count = dispatchesOf(() => state.update(given, { learningRate: 0.1, step: 1 }));
    state.dispose();
    return { many, given, count };
  });
  // The average, and for each shape norms, gathering, five times three products, and the step.
  expect(made.map(({ count }) => count)).toEqual([37, 37]);
  await expectNoLeak(() => {
    const own = muonState(numbers, made[0]!.many);
    own.update(made[0]!.given, { learningRate: 0.1, step: 1 });
    own.dispose();
  });
});
