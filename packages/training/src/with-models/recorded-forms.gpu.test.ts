import { gpuBytes } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import type { TokenBatch } from '../index.js';
import { causal, expectSame, llama, reasons, tokens } from './recorded.cases.js';

/** Batches whose numbers of tokens go round. */
const around = (lengths: readonly number[]) => (number: number) =>
  tokens(number, 2, lengths[number % lengths.length]);

test('batches of several shapes are replayed, each by its own recording', async () => {
  const recorded = await expectSame(llama, {
    ...{ ...causal, batches: around([7, 5, 7, 6]), steps: 16 },
  });
  // Two of each length.
  expect(recorded.losses).toBe(6);
  expect(reasons(recorded)).toEqual(new Set([undefined]));
});

test('the recordings of four shapes are held, and the least recently used one goes first', async () => {
  // Lengths 4 to 7, twice; a fifth one, which takes the place of 4; then 7, 6 and 5 are replayed, and 4 is not.
  const lengths = [4, 5, 6, 7, 4, 5, 6, 7, 8, 7, 6, 5, 4];
  const recorded = await expectSame(llama, {
    ...{ ...causal, batches: (n: number) => tokens(n, 2, lengths[n]), steps: lengths.length },
  });
  expect(recorded.losses).toBe(lengths.length - 3);
});

test('batches whose shapes go on to change are recorded no more after sixteen', async () => {
  const recorded = await expectSame(llama, {
    ...{ ...causal, batches: around([3, 4, 5, 6, 7]), steps: 18 },
  });
  expect(recorded.losses).toBe(16);
  expect(recorded.steps.map(({ unrecorded }) => unrecorded)).toEqual([
    ...Array(16).fill(undefined),
    ...Array(2).fill('of 16 batches none had the shapes and the numbers of one before'),
  ]);
});

test('the gradients of several recordings take no memory between two steps', async () => {
  const held: number[] = [];
  const batches = (lengths: readonly number[]) => {
    const at = around(lengths);
    return (number: number): TokenBatch => {
      if (number === 9) {
        // What the commands before still hold is free once they are submitted.
        tf.square(1).dispose();
        held.push(gpuBytes().used);
      }
      return at(number);
    };
  };
  const widths = { ...llama, hidden_size: 48, intermediate_size: 96 };
  for (const lengths of [[7], [7, 5, 6]]) {
    await expectSame(widths, { ...causal, batches: batches(lengths), steps: 10 });
  }
  // A run that is not recorded, and one that is, of one shape and of three.
  const [none, one, , three] = held as [number, number, number, number];
  const gradients = 4 * 2 * (4 * 48 * 48 + 3 * 48 * 96);
  expect(one - none).toBeLessThan(gradients / 2);
  expect(three - none).toBeLessThan(gradients);
});
