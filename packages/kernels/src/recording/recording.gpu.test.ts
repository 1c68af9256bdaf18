import { InputError } from '@headwise/core';
import { gaussian, gpuBytes, peakOfBuffers, recordedBy } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { embedToken } from '../decode/embed.js';
import { knownValues } from '../dispatch/known.js';
import { layerNorm } from '../layer-norm/index.js';
import { checkedSampling } from '../sampling/options.js';
import { sampleStep } from '../sampling/webgpu.js';
import { overwriteTensor, recordStep } from './index.js';

const values = async (tensor: tf.Tensor) => [...(await tensor.data())];

test('a replay computes what the step would compute with the new values', async () => {
  const x = gaussian([7, 33], 1);
  const weight = gaussian([33, 33], 2) as tf.Tensor2D;
  const ones = tf.ones([33]);
  const zeros = tf.zeros([33]);
  // Long enough for several submissions, with constants, uniforms and reused buffers.
  const step = () => {
    let y = x as tf.Tensor2D;
    for (let i = 1; i <= 12; i++) {
      y = layerNorm(tf.matMul(y, weight).mul(i).add(tf.scalar(i)), ones, zeros) as tf.Tensor2D;
    }
    return { y, sum: y.sum() };
  };
  const recording = recordStep(step);
  for (const seed of [1, 5, 6]) {
    const next = gaussian([7, 33], seed);
    overwriteTensor(x, (await next.data()) as Float32Array);
    recording.replay();
    const expected = tf.tidy(step);
    expect(await values(recording.outputs.y)).toEqual(await values(expected.y));
    expect(await values(recording.outputs.sum)).toEqual(await values(expected.sum));
    tf.dispose([next, expected]);
  }
  // Stock: a product, two element-wise operations; ours: one norm.
  expect(recording.dispatches).toBeGreaterThanOrEqual(4 * 12);
  recording.dispose();
  tf.dispose([x, weight, ones, zeros]);
});

test('replays in one submission follow each other, in every row of the state', async () => {
  // The scores after a token are largest at the next id.
  const seeds = [1, 2, 3, 4, 5, 6];
  const rows = [
    [0, 5, 0, 0, ...seeds],
    [9, 2, 0, 1, ...seeds],
  ];
  const state = tf.tensor2d(rows, [2, 10], 'int32');
  const drawn = tf.zeros<tf.Rank.R2>([2, 6], 'int32');
  const next = tf.oneHot([1, 2, 3, 4, 5, 0], 6, 1, 0, 'float32') as tf.Tensor2D;
  const table = [{ values: next, layout: 'out-in' }] as const;
  const recording = recordStep(() => {
    sampleStep(embedToken(table, state), { state, drawn }, checkedSampling({ temperature: 0 }));
    return [];
  });
  recording.replay(3);
  recording.replay(2);
  expect(await values(drawn)).toEqual([0, 1, 2, 3, 4, 5, 3, 4, 5, 0, 1, 2]);
  expect((await values(state)).slice(10, 14)).toEqual([15, 2, 6, 1]);
  recording.dispose();
  tf.dispose([state, drawn, next]);
});

test('replays wait with other commands, and values are written after the commands that read the old ones', async () => {
  const x = tf.tensor1d([1, 2, 3, 4]);
  const other = tf.tensor1d([5, 6, 7, 8]);
  const recording = recordStep(() => x.square());
  await recording.outputs.data();
  let after: tf.Tensor;
  const { submits } = await recordedBy(async () => {
    const before = other.mul(2);
    overwriteTensor(x, Float32Array.of(2, 3, 4, 5));
    recording.replay();
    after = recording.outputs.add(before);
    expect(await values(after)).toEqual([14, 21, 30, 41]);
    before.dispose();
  });
  expect(submits).toBe(1);

  // One operation and one replay that read the old values.
  const old = x.mul(10);
  overwriteTensor(x, Float32Array.of(1, 1, 2, 2));
  recording.replay();
  const first = recording.outputs.mul(1);
  overwriteTensor(x, Float32Array.of(3, 3, 3, 3));
  recording.replay();
  expect(await values(old)).toEqual([20, 30, 40, 50]);
  expect(await values(first)).toEqual([1, 1, 4, 4]);
  expect(await values(recording.outputs)).toEqual([9, 9, 9, 9]);
  recording.dispose();
  tf.dispose([x, other, after!, old, first]);
});

test('other work between replays does not disturb the step, nor is disturbed', async () => {
  const x = tf.tensor1d([1, 2, 3, 4]);
  const recording = recordStep(() => x.square().add(1).sqrt());
  const expected = await values(recording.outputs);
  const mine = [1, 2, 3].map((n) => x.mul(n).add(n).square());
  const before = await Promise.all(mine.map((tensor) => tensor.clone().data()));
  const others = [1, 2, 3, 4, 5].map((n) => x.add(n).mul(n));
  recording.replay();
  expect(await values(recording.outputs)).toEqual(expected);
  for (const [i, n] of [1, 2, 3].entries()) {
    expect(await values(mine[i]!)).toEqual([...before[i]!]);
    expect([...before[i]!]).toEqual([1, 2, 3, 4].map((v) => (v * n + n) ** 2));
  }
  for (const [i, n] of [1, 2, 3, 4, 5].entries()) {
    expect(await values(others[i]!)).toEqual([1, 2, 3, 4].map((v) => (v + n) * n));
  }
  recording.dispose();
  tf.dispose([x, mine, others]);
});

test('a recording gives back all tensors and all bytes', async () => {
  const x = gaussian([64, 64], 1) as tf.Tensor2D;
  await x.square().data();
  const used = () => (tf.memory() as unknown as { numBytesInGPU: number }).numBytesInGPU;
  const [tensors, bytes] = [tf.memory().numTensors, used()];
  const recording = recordStep(() => tf.matMul(x, x).add(tf.scalar(1)).sum());
  recording.replay();
  await recording.outputs.data();
  expect(tf.memory().numTensors).toBe(tensors + 1);
  recording.dispose();
  expect(tf.memory().numTensors).toBe(tensors);
  expect(used()).toBe(bytes);
  x.dispose();
});

test('a recording that lends its buffers takes them back for a replay, and is stale while one is in use', async () => {
  const x = gaussian([64, 64], 1) as tf.Tensor2D;
  await x.square().data();
  const step = () => {
    let y = x;
    for (let i = 0; i < 8; i++) {
      const next = tf.tidy(() => tf.matMul(y, x).tanh() as tf.Tensor2D);
      if (y !== x) y.dispose();
      y = next;
    }
    return y.sum();
  };
  const { used } = gpuBytes();
  const recording = recordStep(step, { lend: true });
  const expected = await values(recording.outputs);
  const bytes = x.size * 4;
  expect(gpuBytes().used - used).toBeLessThan(bytes);
  // Other work computes in the lent buffers, and lets go of them.
  tf.dispose(Array.from({ length: 4 }, (_, i) => x.mul(i)));
  const peak = await peakOfBuffers(() => recording.replay());
  expect(peak).toBeGreaterThan(2 * bytes);
  expect(peak).toBeLessThan(4 * bytes);
  expect(await values(recording.outputs)).toEqual(expected);
  const kept = Array.from({ length: 4 }, (_, i) => x.mul(i));
  expect(recording.stale).toBe(true);
  expect(() => recording.replay()).toThrow('a buffer that it lent and other work still uses');
  tf.dispose(kept);
  expect(recording.stale).toBe(false);
  recording.replay();
  expect(await values(recording.outputs)).toEqual(expected);
  recording.dispose();
  await x.square().data();
  x.dispose();
});

test('lent outputs take no memory between replays, and come back as they would have been', async () => {
  const x = gaussian([64, 64], 1) as tf.Tensor2D;
  await x.square().data();
  const { used } = gpuBytes();
  // One output in two shapes, one that the step was given, and one of its own.
  const step = () => {
    const y = tf.matMul(x, x) as tf.Tensor;
    return { y, flat: y.flatten(), given: x, sum: y.sum() };
  };
  const recording = recordStep(step, { lend: true });
  for (const seed of [2, 3]) {
    recording.lendOutputs();
    expect(() => recording.outputs).toThrow('a recorded step has lent its outputs');
    const held = x.square();
    await held.data();
    // Besides x² only constants are left.
    expect(gpuBytes().used - used).toBeLessThan(4 * x.size + 2000);
    held.dispose();
    const next = gaussian([64, 64], seed);
    overwriteTensor(x, (await next.data()) as Float32Array);
    recording.replay();
    const expected = tf.tidy(step);
    for (const name of ['y', 'flat', 'given', 'sum'] as const) {
      expect(recording.outputs[name].shape).toEqual(expected[name].shape);
      expect(await values(recording.outputs[name])).toEqual(await values(expected[name]));
    }
    tf.dispose([next, expected.y, expected.flat, expected.sum]);
  }
  recording.lendOutputs();
  const other = [x.square(), x.neg(), x.abs()];
  expect(recording.stale).toBe(true);
  tf.dispose(other);
  recording.dispose();
  await x.square().data();
  x.dispose();
});

test('values of tensors that change are unknown to JavaScript, and the trace tells what else differs', () => {
  const ids = tf.tensor1d([1, 2], 'int32');
  const ones = tf.ones([2]);
  const traceOf = (step: () => tf.Tensor) => {
    const { trace, dispose } = recordStep(step);
    dispose();
    return trace;
  };
  const recorded = (factor: number) => {
    const seen: unknown[] = [];
    const step = () => {
      seen.push(knownValues(ids));
      return ids.toFloat().mul(factor);
    };
    const { trace, dispose } = recordStep(step, { changing: [ids] });
    dispose();
    expect(seen).toEqual([undefined]);
    return trace;
  };
  const first = recorded(2);
  overwriteTensor(ids, Int32Array.of(0, 1));
  expect(recorded(2)).toBe(first);
  expect(recorded(3)).not.toBe(first);
  // A number of an operation of TensorFlow.js, and one of ours.
  const withSlope = (slope: number) => traceOf(() => tf.leakyRelu(ids.toFloat(), slope));
  expect(withSlope(0.1)).toBe(withSlope(0.1));
  expect(withSlope(0.2)).not.toBe(withSlope(0.1));
  const norm = (eps: number) => traceOf(() => layerNorm(ids.toFloat(), ones, ones, eps));
  expect(norm(1e-5)).toBe(norm(1e-5));
  expect(norm(1e-6)).not.toBe(norm(1e-5));
  ones.dispose();
  expect(knownValues(ids)).toEqual(Int32Array.of(0, 1));
  ids.dispose();
});

test('a step that throws leaves nothing behind', async () => {
  const x = gaussian([64, 64], 1) as tf.Tensor2D;
  await x.square().data();
  const before = { tensors: tf.memory().numTensors, bytes: gpuBytes().used };
  const step = () => {
    x.square().add(1).sum();
    throw new Error('not today');
  };
  expect(() => recordStep(step)).toThrow('not today');
  expect({ tensors: tf.memory().numTensors, bytes: gpuBytes().used }).toEqual(before);
  x.dispose();
});

test('what a replay could not do right is refused', async () => {
  const x = tf.tensor1d([1, 2]);
  const state = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
  const before = tf.memory().numTensors;
  expect(() => recordStep(() => void state.assign(state.mul(2)))).toThrow(
    'a recorded step reads a tensor of 8 bytes that the step itself disposed or assigned anew; change it in place',
  );
  expect(() => recordStep(() => void tf.keep(x.square()))).toThrow(
    'recordStep: the step keeps tensors that it does not return (1)',
  );
  let reading: Promise<unknown> | undefined;
  recordStep(() => {
    reading = x.square().data();
    reading.catch(() => {});
  }).dispose();
  await expect(reading).rejects.toThrow('a recorded step read the values of a tensor');
  expect(() => overwriteTensor(x, Float32Array.of(1))).toThrow(
    'overwriteTensor: 1 values for a tensor of shape [2], which has 2',
  );
  const recording = recordStep(() => x.square());
  x.dispose();
  expect(() => recording.replay()).toThrow(InputError);
  recording.dispose();
  expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
  state.dispose();
});
