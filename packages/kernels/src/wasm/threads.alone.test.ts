import { readFileSync } from 'node:fs';
import { gaussian, outputAndGradients } from '@headwise/testing';
import type * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { feedForward } from '../feed-forward/index.js';
import { attention, linear, masks, start } from '../index.js';
import { program } from './threads.js';

/** Bits of the outputs and gradients of kernels that run in chunks. */
async function bits(): Promise<Uint32Array[]> {
  const [x, weight, bias] = [gaussian([150, 65], 1), gaussian([65, 260], 2), gaussian([260], 3)];
  const [q, k, v] = [1, 2, 3].map((seed) => gaussian([2, 3, 150, 20], seed));
  const made = [
    outputAndGradients(
      (x, w, b) => linear(x!, w as tf.Tensor2D, b as tf.Tensor1D, 'in-out', 'gelu'),
      [x, weight, bias],
    ),
    outputAndGradients(
      (...[x, up, upBias, down, downBias]: tf.Tensor[]) =>
        feedForward(
          x!,
          { weight: up as tf.Tensor2D, bias: upBias as tf.Tensor1D },
          { weight: down as tf.Tensor2D, bias: downBias as tf.Tensor1D },
          'in-out',
          'silu',
        ),
      [x, weight, bias, gaussian([260, 65], 4), gaussian([65], 5)],
    ),
    outputAndGradients((q, k, v) => attention(q!, k!, v!, { mask: masks.causal }), [q!, k!, v!]),
  ];
  const tensors = made.flatMap(({ output, gradients }) => [output, ...gradients]);
  return Promise.all(tensors.map(async (x) => new Uint32Array((await x.data()).slice().buffer)));
}

test('every number of threads gives the same bits, and can be changed', async () => {
  expect((await start({ prefer: 'wasm', threads: 3 })).threads).toBe(3);
  const three = await bits();
  for (const threads of [1, 2]) {
    expect((await start({ prefer: 'wasm', threads })).threads).toBe(threads);
    expect(await bits()).toEqual(three);
  }
});

test('a number of threads that is none is refused', async () => {
  await expect(start({ prefer: 'wasm', threads: 0 })).rejects.toThrow(
    'threads is 0; expected a whole number of at least 1',
  );
  process.env.HEADWISE_THREADS = 'two';
  await expect(start({ prefer: 'wasm' })).rejects.toThrow('HEADWISE_THREADS is two; expected');
  delete process.env.HEADWISE_THREADS;
});

test('the file of a worker and the text of one are the same program', () => {
  const file = readFileSync(new URL('../../worker.js', import.meta.url), 'utf8');
  const plain = (text: string) => text.replace(/\s+/g, ' ');
  expect(plain(file)).toContain(plain(program));
});
