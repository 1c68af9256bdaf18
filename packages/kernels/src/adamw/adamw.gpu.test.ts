import { expectClose, expectNoLeak, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { globalNorm } from '../global-norm/index.js';
import { FlatAdamW } from './flat.js';
import { adamwState } from './index.js';
import { PlainAdamW } from './reference.js';
import type { AdamWState, AdamWStep } from './state.js';

const settings: Omit<AdamWStep, 'step'> = {
  learningRate: 0.1,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0.1,
};
const shapes = [[1], [3, 5], [63], [64, 65], [127], [513], [2, 2, 2]];

const parameters = () =>
  shapes.map((shape, i) => ({
    variable: tf.tidy(() => tf.variable(gaussian(shape, i + 1))),
    decays: i % 2 === 1,
  }));
const gradients = (step: number) => shapes.map((shape, i) => gaussian(shape, 100 * step + i));

function steps(state: AdamWState, from: number, to: number, scale?: tf.Tensor): void {
  for (let step = from; step <= to; step++)
    state.update(gradients(step), { ...settings, step }, scale);
}

test('the flat state makes the steps of the plain one, however it is cut', async () => {
  const scale = tf.scalar(0.7);
  const expected = parameters();
  const plain = new PlainAdamW(expected);
  steps(plain, 1, 3, scale);
  for (const most of [2 ** 24, 1000, 64, 37]) {
    const actual = parameters();
    await poisonMemory([[most], [4950], ...shapes]);
    const flat = new FlatAdamW(actual, most);
    steps(flat, 1, 3, scale);
    for (const [i, { variable }] of actual.entries()) {
      await expectClose(variable, expected[i]!.variable, { ratio: 2e-6 });
      const [ours, theirs] = [flat.moments(i), plain.moments(i)];
      await expectClose(ours.m, theirs.m, { ratio: 2e-6 });
      await expectClose(ours.v, theirs.v, { ratio: 2e-6 });
    }
  }
});

test('moments that are set go on where they stood, to the bit', async () => {
  const straight = parameters();
  steps(adamwState(straight), 1, 4);
  const stopped = parameters();
  const first = adamwState(stopped);
  steps(first, 1, 2);
  const second = adamwState(stopped);
  shapes.forEach((_, i) => {
    second.setMoments(i, first.moments(i));
  });
  first.dispose();
  steps(second, 3, 4);
  for (const [i, { variable }] of stopped.entries()) {
    expect(await variable.data()).toEqual(await straight[i]!.variable.data());
  }
});

test('an update changes the parameter only, not what was read or shared of it before', async () => {
  const [variable, gradient] = [tf.variable(tf.ones([5])), tf.ones([5])];
  const state = adamwState([{ variable, decays: false }]);
  const ones = Array(5).fill(1);
  const read = [...(await variable.data())];
  const shared = variable.reshape([5, 1]);
  state.update([gradient], { ...settings, step: 1 });
  expect(read).toEqual(ones);
  expect([...(await shared.data())]).toEqual(ones);
  await expectClose(variable, Array(5).fill(0.9));
  shared.dispose();
  const { dataId } = variable;
  state.update([gradient], { ...settings, step: 2 });
  // Nobody shares it now: it is written in place, and not what was read of it before.
  expect(variable.dataId).toBe(dataId);
  await expectClose(variable, Array(5).fill(0.8));
});

test('clipping and updating 150 tensors takes three dispatches, and a state leaves nothing behind', async () => {
  const many = Array.from({ length: 150 }, (_, i) => ({
    variable: tf.tidy(() => tf.variable(gaussian([i + 1], i))),
    decays: i % 3 === 0,
  }));
  const given = many.map(({ variable }, i) => gaussian(variable.shape, i));
  const state = adamwState(many);
  let dispatches = 0;
  const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
  GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...counts) {
    dispatches++;
    return dispatchWorkgroups.apply(this, counts);
  };
  try {
    const { norm, scale } = globalNorm(given, 1);
    state.update(given, { ...settings, step: 1 }, scale);
    tf.dispose([norm, scale]);
  } finally {
    GPUComputePassEncoder.prototype.dispatchWorkgroups = dispatchWorkgroups;
  }
  expect(dispatches).toBe(3);
  state.dispose();
  await expectNoLeak(() => {
    const own = adamwState(many);
    own.update(given, { ...settings, step: 1 });
    const { m, v } = own.moments(3);
    own.setMoments(3, { m, v });
    tf.dispose([m, v]);
    own.dispose();
  });
});

test('gradients that do not fit are refused before anything is changed', async () => {
  const variable = tf.variable(tf.ones([2, 3]));
  const state = adamwState([{ variable, decays: true }]);
  const step = { ...settings, step: 1 };
  expect(() => state.update([], step)).toThrow('adamw: 0 gradients; expected 1');
  expect(() => state.update([tf.ones([3, 2])], step)).toThrow('has shape [3, 2]; expected [2, 3]');
  expect([...(await variable.data())]).toEqual(Array(6).fill(1));
  const whole = tf.variable(tf.zeros([2], 'int32'));
  expect(() => adamwState([{ variable: whole, decays: true }])).toThrow('expected float32');
});
