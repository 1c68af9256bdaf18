import { ParamStore } from '@headwise/core';
import { dispatchesOf, expectClose, expectNoLeak, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { globalNorm } from '../global-norm/index.js';
import { adamwRule } from './adamw.js';
import { averageRule } from './average.js';
import { FlatState } from './flat.js';
import { optimizerState } from './index.js';
import { lionRule } from './lion.js';
import { PlainState } from './plain.js';
import type { Rule } from './rule.js';
import { plainSgdRule, sgdRule } from './sgd.js';
import type { OptimizerState, Slot } from './state.js';

const adamw = adamwRule({ beta1: 0.9, beta2: 0.99, epsilon: 1e-8 });
const rules: Rule[] = [
  adamw,
  plainSgdRule,
  sgdRule({ momentum: 0.9, dampening: 0.1, nesterov: false }),
  lionRule({ beta1: 0.9, beta2: 0.99 }),
  averageRule,
];
const learningRate = 0.1;
const shapes = [[1], [3, 5], [63], [64, 65], [127], [513], [2, 2, 2]];

/** Three groups of equal rate and decay, whose parameters do not follow each other. */
const parameters = () =>
  shapes.map((shape, i) => ({
    variable: tf.tidy(() => tf.variable(gaussian(shape, i + 1))),
    rate: i % 3 === 1 ? 0.5 : 1,
    decay: i % 2 === 1 ? 0.1 : 0,
  }));
const gradients = (step: number) => shapes.map((shape, i) => gaussian(shape, 100 * step + i));

function steps(state: OptimizerState, from: number, to: number, scale?: tf.Tensor): void {
  for (let step = from; step <= to; step++)
    state.update(gradients(step), { learningRate, step }, scale);
}

const named = ({ slots }: OptimizerState) =>
  new Map(slots.map((slot): [string, Slot] => [`${slot.name}.${slot.parameter}`, slot]));

describe.each(rules.map((rule) => [rule.name, rule] as const))('%s', (_, rule) => {
  test('the flat state makes the steps of the plain one, however it is cut', async () => {
    const scale = tf.scalar(0.7);
    const expected = parameters();
    const plain = new PlainState(rule, expected);
    steps(plain, 1, 3, scale);
    const kept = named(plain);
    for (const most of [2 ** 24, 1000, 97]) {
      const actual = parameters();
      await poisonMemory([[Math.min(most, 4887)]]);
      const flat = new FlatState(rule, actual, most);
      steps(flat, 1, 3, scale);
      for (const [i, { variable }] of actual.entries()) {
        await expectClose(variable, expected[i]!.variable, { ratio: 2e-6 });
      }
      for (const [name, slot] of named(flat)) {
        await expectClose(slot.read(), kept.get(name)!.read(), { ratio: 2e-6 });
      }
      expect(flat.slots).toHaveLength(plain.slots.length);
    }
  });

  test('a step in place changes what a store tells of its parameters', () => {
    const params = new ParamStore();
    const variable = params.get('weight', [3, 5], () => new Float32Array(15));
    const state = optimizerState(rule, [{ variable, rate: 1, decay: 0 }]);
    const update = (step: number) => state.update([gaussian([3, 5], step)], { learningRate, step });
    update(1);
    const [dataId, writes] = params.state();
    update(2);
    // The memory is the same, its values are others.
    expect(params.state()[0]).toBe(dataId);
    expect(params.state()[1]).not.toBe(writes);
    state.dispose();
    params.dispose();
  });

  test('a state that is read and set goes on where it stood, to the bit', async () => {
    const straight = parameters();
    steps(optimizerState(rule, straight), 1, 4);
    const stopped = parameters();
    const first = optimizerState(rule, stopped);
    steps(first, 1, 2);
    const second = optimizerState(rule, stopped);
    for (const [i, slot] of second.slots.entries()) slot.write(first.slots[i]!.read());
    first.dispose();
    steps(second, 3, 4);
    for (const [i, { variable }] of stopped.entries()) {
      expect(await variable.data()).toEqual(await straight[i]!.variable.data());
    }
  });

  test('clipping and updating 150 tensors takes three dispatches, and a state leaves nothing behind', async () => {
    const many = Array.from({ length: 150 }, (_, i) => ({
      variable: tf.tidy(() => tf.variable(gaussian([i + 1], i))),
      rate: i % 5 === 0 ? 0.1 : 1,
      decay: i % 3 === 0 ? 0.01 : 0,
    }));
    const given = many.map(({ variable }, i) => gaussian(variable.shape, i));
    const state = optimizerState(rule, many);
    const { norm, scale } = globalNorm(given, 1);
    tf.dispose([norm, scale]);
    const made = dispatchesOf(() => {
      const { norm, scale } = globalNorm(given, 1);
      state.update(given, { learningRate, step: 1 }, scale);
      tf.dispose([norm, scale]);
    });
    expect(made).toBe(3);
    state.dispose();
    await expectNoLeak(() => {
      const own = optimizerState(rule, many);
      own.update(given, { learningRate, step: 1 });
      const values = own.slots.map((slot) => slot.read());
      for (const [i, slot] of own.slots.entries()) slot.write(values[i]!);
      tf.dispose(values);
      own.dispose();
    });
  });
});

test('an update changes the parameter only, not what was read or shared of it before', async () => {
  const [variable, gradient] = [tf.variable(tf.ones([5])), tf.ones([5])];
  const state = optimizerState(adamw, [{ variable, rate: 1, decay: 0 }]);
  const ones = Array(5).fill(1);
  const read = [...(await variable.data())];
  const shared = variable.reshape([5, 1]);
  state.update([gradient], { learningRate, step: 1 });
  expect(read).toEqual(ones);
  expect([...(await shared.data())]).toEqual(ones);
  await expectClose(variable, Array(5).fill(0.9));
  shared.dispose();
  const { dataId } = variable;
  state.update([gradient], { learningRate, step: 2 });
  // Nobody shares it now: it is written in place, and not what was read of it before.
  expect(variable.dataId).toBe(dataId);
  await expectClose(variable, Array(5).fill(0.8));
});

test('gradients that do not fit are refused before anything is changed', async () => {
  const variable = tf.variable(tf.ones([2, 3]));
  const state = optimizerState(adamw, [{ variable, rate: 1, decay: 1 }]);
  const step = { learningRate, step: 1 };
  expect(() => state.update([], step)).toThrow('AdamW: 0 gradients; expected 1');
  expect(() => state.update([tf.ones([3, 2])], step)).toThrow('has shape [3, 2]; expected [2, 3]');
  expect([...(await variable.data())]).toEqual(Array(6).fill(1));
  const whole = tf.variable(tf.zeros([2], 'int32'));
  expect(() => optimizerState(adamw, [{ variable: whole, rate: 1, decay: 1 }])).toThrow(
    'expected float32',
  );
});
