import { InputError, ShapeError } from '@headwise/core';
import { underBindingLimit } from '@headwise/core/internal';
import { expectClose, expectNoLeak, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { expect, test } from 'vitest';
import { layerNorm } from '../layer-norm/index.js';
import { dispatch } from './dispatch.js';
import { elementWorkgroups, perElement } from './per-element.js';
import { compilePipelines } from './pipelines.js';
import { defineProgram } from './program.js';

const doubled = (factor: number) =>
  defineProgram({
    label: 'headwise/Test',
    inputs: { x: 'f32' },
    outputs: { y: 'f32' },
    params: { size: 'u32' },
    wgsl: /* wgsl */ `
      @compute @workgroup_size(1)
      fn main(@builtin(global_invocation_id) id: vec3u) {
        if (id.x < params.size) { y[id.x] = x[id.x] * ${factor}.0; }
      }
    `,
  });

function run(program: ReturnType<typeof doubled>, x: tf.Tensor): tf.Tensor {
  const { y } = dispatch(tf.backend() as WebGPUBackend, program, {
    inputs: { x },
    outputs: { y: { shape: x.shape, dtype: 'float32' } },
    params: { size: x.size },
    workgroups: [x.size],
  });
  return tf.engine().makeTensorFromTensorInfo(y);
}

test('a program of one value each computes each once, whether a lane takes one or several', async () => {
  // Adds, so that a value that is computed twice is seen; every seventh one returns before.
  const counting = defineProgram({
    label: 'headwise/Test',
    inputs: { x: 'f32' },
    outputs: { y: 'f32' },
    params: { size: 'u32' },
    wgsl: perElement('if (i % 7u == 3u) { return; } y[i] += x[i] + f32(i % 5u);'),
  });
  for (const size of [1, 63, 64, 65, 513, 16_383, 16_384, 16_385, 70_001, 262_145]) {
    const [x, y] = [tf.range(0, size).mod(11), tf.zeros([size + 9])];
    dispatch(tf.backend() as WebGPUBackend, counting, {
      inputs: { x },
      outputs: { y },
      params: { size },
      workgroups: elementWorkgroups(size),
    });
    const expected = Float32Array.from({ length: size + 9 }, (_, i) =>
      i >= size || i % 7 === 3 ? 0 : (i % 11) + (i % 5),
    );
    const actual = await y.data();
    expect(actual.findIndex((value, i) => value !== expected[i])).toBe(-1);
    tf.dispose([x, y]);
  }
});

test('a tensor of another type is refused, not read as bits', () => {
  const x = tf.tensor2d([1, 2], [1, 2], 'int32');
  const one = tf.ones([2]);
  expect(() => run(doubled(2), x)).toThrow(InputError);
  expect(() => layerNorm(x, one, one)).toThrow(
    "headwise/LayerNorm: 'x' has type int32; expected float32",
  );
  tf.dispose([x, one]);
});

test('what the device cannot bind is refused before anything is recorded', async () => {
  const { maxStorageBuffersPerShaderStage: room } = (tf.backend() as WebGPUBackend).device.limits;
  const x = tf.tensor1d([1]);
  const size = 64 * room;
  await underBindingLimit(256, () => {
    expect(() =>
      dispatch(tf.backend() as WebGPUBackend, doubled(2), {
        inputs: { x },
        outputs: { y: { shape: [size], dtype: 'float32' } },
        params: { size: 1 },
        workgroups: [1],
      }),
    ).toThrow(
      new ShapeError(
        `headwise/Test: 'y' of shape [${size}] takes ${4 * size} bytes; the device binds at most 256 at once, and ${room} buffers where ${room + 1} are needed`,
      ),
    );
    expect(() => x.concat(tf.zeros([64]))).toThrow(
      "TensorFlow.js's program 'concat': a tensor of shape [1, 65] takes 260 bytes; the device binds at most 256 at once",
    );
  });
  x.dispose();
});

test('a tensor of many pieces is read and written whole', async () => {
  const x = gaussian([700], 1);
  const y = await underBindingLimit(768, () => run(doubled(4), x));
  await expectClose(
    y,
    [...(await x.data())].map((value) => 4 * value),
  );
  tf.dispose([x, y]);
});

test('pipelines can be compiled ahead: nothing is dispatched, and the step then finds them', async () => {
  const { device } = tf.backend() as WebGPUBackend;
  const x = gaussian([3, 5], 1);
  const program = doubled(3);
  await expectNoLeak(() => compilePipelines(() => run(program, x).add(1).tanh()));
  const create = device.createComputePipeline;
  let compiled = 0;
  device.createComputePipeline = (descriptor) => {
    compiled++;
    return create.call(device, descriptor);
  };
  try {
    const y = run(program, x).add(1).tanh();
    const expected = [...(await x.data())].map((v) => Math.tanh(3 * v + 1));
    for (const [i, value] of (await y.data()).entries()) expect(value).toBeCloseTo(expected[i]!, 5);
    y.dispose();
  } finally {
    device.createComputePipeline = create;
  }
  expect(compiled).toBe(0);
  x.dispose();
});

test('a step that is compiled ahead leaves the tensors that it is given as they are', async () => {
  const x = gaussian([3, 5], 1);
  const onHost = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const expected = await x.data();
  await expectNoLeak(() =>
    compilePipelines(() => {
      x.reshape([5, 3]).dispose();
      x.clone().dispose();
      return [run(doubled(3), x.reshape([15])), onHost.reshape([4]).square()];
    }),
  );
  expect(await x.data()).toEqual(expected);
  expect([...(await onHost.square().data())]).toEqual([1, 4, 9, 16]);
  tf.dispose([x, onHost]);
});

test('a step that assigns a variable cannot be compiled ahead, and the variable is as it was', async () => {
  const variable = tf.variable(tf.tensor1d([1, 2]));
  const step = () => variable.assign(variable.add(1));
  await expect(compilePipelines(step)).rejects.toThrow(InputError);
  expect([...(await variable.data())]).toEqual([1, 2]);
  step();
  expect([...(await variable.data())]).toEqual([2, 3]);
  variable.dispose();
});

test('a step that is compiled ahead compiles nothing ahead itself', async () => {
  let inner: Promise<void> | undefined;
  await compilePipelines(() => {
    inner = expect(compilePipelines(() => tf.ones([2]))).rejects.toThrow(InputError);
  });
  await inner;
});

test('a shader that the driver refuses fails the call that asked for it, and no later one', async () => {
  const { device } = tf.backend() as WebGPUBackend;
  const x = gaussian([3, 5], 1);
  const broken = { ...doubled(5), wgsl: 'no WGSL' };
  const compileBroken = async () => {
    device.pushErrorScope('validation');
    try {
      await compilePipelines(() => run(broken, x));
    } finally {
      expect((await device.popErrorScope())?.message).toContain('no WGSL');
    }
  };
  await expect(compileBroken()).rejects.toThrow('headwise/Test');
  const throwing = () => {
    run(broken, x);
    throw new Error('from the step');
  };
  await expect(compilePipelines(throwing)).rejects.toThrow('from the step');
  await compilePipelines(() => run(doubled(5), x));
  const refused = expect(compileBroken()).rejects.toThrow('headwise/Test');
  await compilePipelines(() => run(doubled(6), x));
  await refused;
  x.dispose();
});
