import { underBindingLimit } from '@headwise/core/internal';
import { cases, gaussian, peakOfBuffers } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { scoreTable } from './expression/table.js';
import { type AttentionOptions, attention } from './index.js';
import { causal } from './masks/order.js';
import { documents } from './masks/tokens.js';
import { scoreMod } from './mods.js';

/** The peak of a training step for each of some lengths. */
async function peaksOf(
  lengths: number[],
  tableOf: ((length: number) => number[]) | undefined,
  optionsOf: (length: number, table: tf.Tensor) => AttentionOptions,
): Promise<number[]> {
  const peaks: number[] = [];
  for (const length of lengths) {
    const shape = [1, 2, length, 64];
    const inputs = [gaussian(shape, 1), gaussian(shape, 2), gaussian(shape, 3)];
    if (tableOf) inputs.push(gaussian(tableOf(length), 4));
    const dy = gaussian(shape, 5);
    for (const x of [...inputs, dy]) await x.add(0).data();
    const f = (...[q, k, v, values]: tf.Tensor[]) =>
      attention(q!, k!, v!, optionsOf(length, values!));
    const step = () => tf.tidy(() => tf.grads(f)(inputs, dy));
    tf.dispose(step());
    peaks.push(await peakOfBuffers(() => tf.dispose(step())));
    tf.dispose([...inputs, dy]);
  }
  return peaks;
}

test('memory of a training step grows with T, and stays below 6 times the size of q', async () => {
  const lengths = [256, 512, 1024];
  const peaks = await peaksOf(lengths, undefined, () => ({ mask: causal }));
  for (const [i, peak] of peaks.entries()) {
    expect(peak).toBeLessThanOrEqual(6 * 4 * 2 * lengths[i]! * 64);
  }
  const exponent = Math.log2(peaks[2]! / peaks[0]!) / 2;
  expect(exponent).toBeLessThan(1.05);
});

const clip = 8;
const variants: [
  string,
  ((length: number) => number[]) | undefined,
  Parameters<typeof peaksOf>[2],
][] = [
  [
    'documents',
    undefined,
    (length) => ({
      mask: documents(tf.zeros([1, length], 'int32')),
    }),
  ],
  [
    'bias by distance',
    (length) => [2, 2 * length - 1],
    (length, biases) => ({
      mods: [
        scoreMod((score, _b, h, q, k) =>
          score.add(scoreTable(biases).at(h, k.sub(q).add(length - 1))),
        ),
      ],
    }),
  ],
  [
    'clipped distances of each query',
    (length) => [1, 2, length, 2 * clip + 1],
    (_, scores) => ({
      mods: [
        scoreMod((score, b, h, q, k) =>
          score.add(scoreTable(scores).at(b, h, q, k.sub(q).min(clip).max(-clip).add(clip))),
        ),
      ],
    }),
  ],
];

test.each(cases(variants, (_, i) => i === 2))(
  'memory of a training step grows with T: %s',
  async (_, tableOf, optionsOf) => {
    const peaks = await peaksOf([256, 512], tableOf, optionsOf);
    expect(Math.log2(peaks[1]! / peaks[0]!)).toBeLessThan(1.15);
  },
);

test('tensors larger than what the device can bind are bound in pieces', async () => {
  const [q, k, v] = [1, 2, 3].map((seed) => gaussian([1, 1, 65, 32], seed)) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const run = () => attention(q, k, v, { mask: causal });
  const expected = run();
  const divided = await underBindingLimit(17 * 256, run);
  expect(await divided.data()).toEqual(await expected.data());
  tf.dispose([q, k, v, expected, divided]);
});
