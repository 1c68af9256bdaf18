import {
  cases,
  describeBackends,
  expectClose,
  gaussian,
  outputAndGradients,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { scoreTable } from '../attention/expression/table.js';
import { dense } from '../attention/masks/dense.js';
import { and, type Mask, none } from '../attention/masks/mask.js';
import { causal, slidingWindow } from '../attention/masks/order.js';
import { documents } from '../attention/masks/tokens.js';
import { type ScoreMod, scoreMod } from '../attention/mods.js';
import { rowAttention } from './index.js';
import type { RowTerm } from './term.js';

/** Adds a number for each query and key, `q_i · m_j`, from another tensor. */
const productsWith = (others: tf.Tensor): RowTerm => ({
  inputs: [others],
  mods({ q, place }, [others]) {
    const products = tf.matMul(q, others!, false, true);
    return [
      scoreMod((score, b, h, q, k) => score.add(scoreTable(products).at(b, h, q.sub(place), k))),
    ];
  },
});

/** Adds `Σ_j α_ij (j − i) · a`. */
const meanDistance = (vector: tf.Tensor): RowTerm => ({
  inputs: [vector],
  values(pattern, { place }, [vector]) {
    const [, , rows, keys] = pattern.shape as [number, number, number, number];
    const distance = tf
      .range(0, keys)
      .reshape([1, keys])
      .sub(tf.range(place, place + rows).reshape([rows, 1]));
    return pattern.mul(distance).sum(-1, true).mul(vector!);
  },
});

const ids = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 5, 5, 3, 3, 3, 3, 3, 3, 3, 3, 3];

describeBackends('row attention', (backend) => {
  const sizes = { rows: 3 };
  const given = () => [
    gaussian([2, 4, 8, 5], 1),
    gaussian([2, 2, 11, 5], 2),
    gaussian([2, 2, 11, 7], 3),
    gaussian([2, 4, 11, 5], 4),
    gaussian([4, 21], 5),
    gaussian([4], 6),
  ];
  const masks: Record<string, () => Mask> = {
    none: () => none,
    causal: () => causal,
    window: () => and(causal, slidingWindow(4)),
    documents: () => documents(tf.tensor2d(ids, [2, 11], 'int32')),
    dense: () => dense(gaussian([1, 4, 8, 11], 7)),
  };
  const few = (name: string) => backend !== 'webgpu' || name === 'causal';
  for (const [name, mask] of cases(Object.entries(masks), ([name]) => few(name))) {
    test(`a few queries at a time equal all at once, outputs and every gradient: ${name}`, async () => {
      const bias = (weights: tf.Tensor): ScoreMod =>
        scoreMod((score, _b, h, q, k) =>
          score
            .add(scoreTable(weights).at(h, k.sub(q).add(10)))
            .div(9)
            .tanh()
            .mul(9),
        );
      const run = (rows: number) =>
        outputAndGradients((q, k, v, others, weights, sinks) => {
          const options = { mask: mask(), mods: [bias(weights!)], sinks: sinks!, rows };
          return rowAttention(q!, k!, v!, productsWith(others!), options);
        }, given());
      const [some, all] = [run(sizes.rows), run(100)];
      await expectClose(some.output, all.output);
      for (const [i, gradient] of some.gradients.entries()) {
        await expectClose(gradient, all.gradients[i]!, { floor: 1e-6 });
      }
    });
  }

  test('terms of values and a lone causal mask', async () => {
    const [q, k, v] = given();
    const run = (rows: number) =>
      outputAndGradients(
        (q, k, v, vector) =>
          rowAttention(q!, k!, v!, meanDistance(vector!), { mask: causal, rows }),
        [q!, k!, v!, gaussian([7], 8)],
      );
    const [some, all] = [run(3), run(100)];
    await expectClose(some.output, all.output);
    for (const [i, gradient] of some.gradients.entries()) {
      await expectClose(gradient, all.gradients[i]!, { floor: 1e-6 });
    }
  });

  test('a mask made for other sizes is named', () => {
    const q = tf.zeros([2, 4, 8, 5]);
    const mask = documents(tf.zeros([2, 7], 'int32'));
    expect(() => rowAttention(q, q, q, productsWith(q), { mask, rows: 3 })).toThrow(
      'attention: mask documents: ids has shape [2, 7]; expected [2, 8]',
    );
  });
});
