import { currentDevice } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { expect, test } from 'vitest';
import { recordStep } from '../recording/index.js';
import { dispatch } from './dispatch.js';
import { takesImmediates } from './immediates.js';
import { compiled } from './pipelines.js';
import { defineProgram } from './program.js';

/** Writes all of `count` fields: a float, a whole number with a sign, and others without one. */
function echo(count: number) {
  const others = Array.from({ length: count - 2 }, (_, i) => `u${i}` as const);
  const params: Record<string, 'f32' | 'i32' | 'u32'> = { f: 'f32', i: 'i32' };
  for (const name of others) params[name] = 'u32';
  const program = defineProgram({
    label: `headwise/Echo${count}`,
    inputs: {},
    outputs: { y: 'f32' },
    params,
    wgsl: /* wgsl */ `
      @compute @workgroup_size(1)
      fn main() {
        y[0] = params.f;
        y[1] = f32(params.i);
        ${others.map((name, i) => `y[${i + 2}] = f32(params.${name});`).join('\n')}
      }
    `,
  });
  const run = (first: number): tf.Tensor => {
    const values = Object.fromEntries(others.map((name, i) => [name, first + i]));
    const { y } = dispatch(tf.backend() as WebGPUBackend, program, {
      inputs: {},
      outputs: { y: { shape: [count], dtype: 'float32' } },
      params: { f: first + 0.5, i: 0 - first, ...values },
      workgroups: [1],
    });
    return tf.engine().makeTensorFromTensorInfo(y);
  };
  const expected = (first: number) => [first + 0.5, 0 - first, ...others.map((_, i) => first + i)];
  return { program, run, expected };
}

// 64 bytes are the least that a device with immediates takes; 17 fields are more.
test.each([2, 4, 5, 16, 17, 40])('%i params reach each of many dispatches', async (count) => {
  const { program, run, expected } = echo(count);
  const { gpu } = currentDevice()!;
  expect(compiled(gpu, program).immediates).toBe(takesImmediates(gpu, program));
  const found = Array.from({ length: 5 }, (_, i) => run(10 * i));
  for (const [i, tensor] of found.entries()) {
    expect([...(await tensor.data())]).toEqual(expected(10 * i));
  }
  tf.dispose(found);
});

test.each([4, 40])('%i params are those of the recording when it is replayed', async (count) => {
  const { run, expected } = echo(count);
  const recording = recordStep(() => [run(3), run(70)]);
  run(500).dispose();
  recording.replay();
  for (const [i, first] of [3, 70].entries()) {
    expect([...(await recording.outputs[i]!.data())]).toEqual(expected(first));
  }
  recording.dispose();
});

test('a device that says nothing of immediates takes a uniform', () => {
  const { program } = echo(4);
  expect(takesImmediates({ limits: {} } as GPUDevice, program)).toBe(false);
  expect(takesImmediates({ limits: { maxImmediateSize: 15 } } as never, program)).toBe(false);
});
